// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile } from '@mlcapsule/attestation'
import { printable } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { ClientError } from '../../errors.ts'
import { readTokenFile, writeWholeFile } from '../../node/files.ts'
import type { Activation } from '../../sdk/activation.ts'
import type { MlCapsule } from '../../sdk/ml-capsule.ts'
import { addCapsuleCommand, type CapsuleCommandOptions, verifyProgress, withCapsule } from '../context.ts'
import { activationJson, activationPairs, indented, unattestedNote } from '../describe.ts'

interface ActivateCommandOptions extends CapsuleCommandOptions {
  readonly service?: string
  readonly order?: string
  readonly challenge?: string
  readonly requestOut?: string
  readonly response?: string
  readonly again?: true
}

type Flow = 'online' | 'request' | 'response'

function flowOf({ service, order, challenge, requestOut, response }: ActivateCommandOptions): Flow {
  const invalid = (detail: string) =>
    new ClientError('CLIENT_ARGUMENT_INVALID', detail, { field: 'arguments' })
  const isOnline = service !== undefined || order !== undefined
  if ((challenge === undefined) !== (requestOut === undefined)) {
    throw invalid('--challenge and --request-out belong together')
  }
  if (Number(isOnline) + Number(challenge !== undefined) + Number(response !== undefined) > 1) {
    throw invalid('give a service, or a challenge file, or a response file')
  }
  if (challenge !== undefined) return 'request'
  return response === undefined ? 'online' : 'response'
}

export function addActivate(context: CliContext, program: Command): void {
  addCapsuleCommand(context, program, {
    name: 'activate <capsule>',
    about: 'get a license and the key for a capsule: over the network, or across an air gap with files',
    examples: [
      'activate model.capsule --service https://models.example --publisher publisher.jwk',
      'activate model.capsule --challenge challenge.jws --request-out request.jws',
      'activate model.capsule --response response.jws',
    ],
  })
    .option('--service <url>', "the provider's service (default: the one that the capsule names)")
    .option('--order <id>', 'the order, where you have several for this capsule')
    .option('--challenge <file>', 'a challenge that the provider handed over; needs --request-out')
    .option('--request-out <file>', 'where to write the request for the provider')
    .option('--response <file>', "the provider's response to that request")
    .option('--again', 'activate anew, and give up what is left of the earlier activation')
    .action(async (path: string, options: ActivateCommandOptions) => {
      const flow = flowOf(options)
      await withCapsule(context, path, options, async (model) => {
        if (flow === 'request') return await writeRequest(context, model, options)
        const activation =
          flow === 'online' ? await online(context, model, options) : await finish(model, options)
        printActivation(context, model, options, activation)
      })
    })
}

async function online(
  context: CliContext,
  model: MlCapsule,
  options: ActivateCommandOptions,
): Promise<Activation> {
  const progress = verifyProgress(context, model.sizeBytes)
  const { service, order, again = false } = options
  return await model
    .activate({
      again,
      onVerify: progress.onVerify,
      ...(service === undefined ? {} : { service }),
      ...(order === undefined ? {} : { order }),
    })
    .finally(progress.end)
}

async function finish(model: MlCapsule, options: ActivateCommandOptions): Promise<Activation> {
  return await model.finishActivation(await readTokenFile(options.response as string))
}

async function writeRequest(
  context: CliContext,
  model: MlCapsule,
  options: ActivateCommandOptions,
): Promise<void> {
  const { style } = context
  const output = options.requestOut as string
  const challenge = await readTokenFile(options.challenge as string)
  const request = await model.requestActivation(challenge, { again: options.again === true })
  await writeWholeFile(output, encodeTokenFile(request))
  const text = `${style.green('wrote')} ${output}\n\nCarry it to the provider, and give what comes back with --response.`
  printReport(context, options, { text, json: { file: output, measurement: model.enclave.manifestSha384 } })
}

function printActivation(
  context: CliContext,
  model: MlCapsule,
  options: ActivateCommandOptions,
  activation: Activation,
): void {
  const { style } = context
  const { modelName, modelVersion } = model.header
  const lines = [
    `${style.green('activated')} ${style.bold(printable(modelName))}, version ${modelVersion}\n`,
    indented(style, activationPairs(activation, model.enclave)),
  ]
  if (activation.tier === 'none') lines.push(`\n${style.yellow('note')} ${unattestedNote}`)
  printReport(context, options, { text: lines.join('\n'), json: activationJson(activation, model.enclave) })
}
