// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { formatCount, formatDuration, printableJson } from '@mlcapsule/terminal'
import { type CliContext, integerOption } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { classesOf, isClassifier } from '../../sdk/classes.ts'
import type { MlCapsule } from '../../sdk/ml-capsule.ts'
import { answerJson, answerText, type ShownAnswer } from '../answer-text.ts'
import { addCapsuleCommand, type CapsuleCommandOptions, withCapsule } from '../context.ts'
import { readInputs } from '../read-input.ts'

interface RunOptions extends CapsuleCommandOptions {
  readonly top: number
  readonly outputs?: true
}

export function addRun(context: CliContext, program: Command): void {
  addCapsuleCommand(context, program, {
    name: 'run <capsule> <inputs...>',
    about: 'ask the model: one query per file, an image or tensors (.json, .npy)',
    examples: [
      'run digits.capsule seven.png three.png',
      'run model.capsule photo.jpg --top 3',
      'run model.capsule input.npy --outputs --json   # one line of JSON per query',
    ],
  })
    .option('--top <count>', 'how many classes to show', integerOption(1, 1000), 5)
    .option('--outputs', "show the model's outputs themselves")
    .action(async (path: string, inputs: readonly string[], options: RunOptions) => {
      await withCapsule(context, path, options, (model) => askAll(context, model, inputs, options))
    })
}

async function askAll(
  context: CliContext,
  model: MlCapsule,
  inputs: readonly string[],
  options: RunOptions,
): Promise<void> {
  const { stdout, stderr, style } = context
  const width = Math.max(...inputs.map((it) => [...basename(it)].length))
  const showsClasses = options.outputs !== true && isClassifier(model.header)
  let spentMs = 0
  let unitsLeft: number | undefined
  await model.resume()
  for (const input of inputs) {
    const tensors = await readInputs(input, model)
    const startedAtMs = performance.now()
    const inference = await model.run(tensors)
    spentMs += performance.now() - startedAtMs
    unitsLeft = inference.unitsLeft
    const classes = showsClasses ? classesOf(inference, model.header, options.top) : undefined
    const answer: ShownAnswer = { input, inference, classes }
    const line = options.json === true ? printableJson(answerJson(answer)) : answerText(style, answer, width)
    stdout.write(`${line}\n`)
  }
  if (options.json === true || unitsLeft === undefined) return
  const each = formatDuration(spentMs / inputs.length)
  stderr.write(style.dim(`${each} per query, ${formatCount(unitsLeft)} left\n`))
}
