// SPDX-License-Identifier: Apache-2.0
import { formatCount, formatItems, printable, printableJson } from '@mlcapsule/terminal'
import { type CliContext, integerOption } from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError } from 'commander'
import type { MlCapsule } from '../../sdk/ml-capsule.ts'
import { addCapsuleCommand, type CapsuleCommandOptions, withCapsule } from '../context.ts'

interface GenerateCommandOptions extends CapsuleCommandOptions {
  readonly prompt: string
  readonly tokens: number
  readonly temperature: number
  readonly seed?: number
}

function temperatureOption(text: string): number {
  const value = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
  if (value <= 100) return value
  throw new InvalidArgumentError('Expected a number from 0 to 100.')
}

export function addGenerate(context: CliContext, program: Command): void {
  addCapsuleCommand(context, program, {
    name: 'generate <capsule>',
    about: 'let a model write on from a prompt: one query per token, its memory stays in the enclave',
    examples: [
      'generate gpt.capsule --prompt "the enclave " --tokens 80',
      'generate gpt.capsule --prompt "the " --temperature 0.8 --seed 1 --json   # one line of JSON per token',
    ],
  })
    .requiredOption('--prompt <text>', 'what the text begins with')
    .option('--tokens <count>', 'tokens to write at most', integerOption(1, 1_000_000), 100)
    .option(
      '--temperature <number>',
      '0 takes the likeliest token; more draws by chance',
      temperatureOption,
      0,
    )
    .option('--seed <number>', 'makes the draws repeatable', integerOption(0, 4_294_967_295))
    .action(async (path: string, options: GenerateCommandOptions) => {
      await withCapsule(context, path, options, (model) => write(context, model, options))
    })
}

/** What has been written stays on the screen whatever comes after it. */
async function write(context: CliContext, model: MlCapsule, options: GenerateCommandOptions): Promise<void> {
  const { stdout, stderr, style } = context
  const { prompt, tokens, temperature, seed } = options
  const isJson = options.json === true
  const { claims, unitsLeft } = await model.resume()
  if (!isJson) stderr.write(style.dim(`${priceText(tokens, claims.tariff, unitsLeft)}\n`))
  const sampling = { tokenCount: tokens, temperature, ...(seed === undefined ? {} : { seed }) }
  let last: number | undefined
  try {
    for await (const token of model.generate(prompt, sampling)) {
      last = token.unitsLeft
      stdout.write(isJson ? `${printableJson(token)}\n` : shown(token.text))
    }
  } finally {
    if (!isJson && last !== undefined) stdout.write('\n')
  }
  if (!isJson && last !== undefined) stderr.write(style.dim(`${formatItems(last, 'unit')} left\n`))
}

const shown = (text: string) => (text === '\n' ? text : printable(text))

/** What the whole text may cost at most, before the first query is asked. */
function priceText(
  tokenCount: number,
  { unit, surchargeMax }: { readonly unit: number; readonly surchargeMax: number },
  unitsLeft: number,
): string {
  const each = surchargeMax === 0 ? `${unit}` : `${unit} to ${unit + surchargeMax}`
  const most = tokenCount * (unit + surchargeMax)
  return `${formatItems(tokenCount, 'token')} at ${each} each: at most ${formatItems(most, 'unit')} of the ${formatCount(unitsLeft)} left`
}
