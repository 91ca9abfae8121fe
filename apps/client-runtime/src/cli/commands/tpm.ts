// SPDX-License-Identifier: Apache-2.0
import {
  decodeEnrollmentOffer,
  encodeEnrollmentAnswer,
  encodeEnrollmentRequest,
  enrollmentFileMaxSizeBytes,
} from '@mlcapsule/attestation/tpm'
import { answerOffer, type EkKind, requestEnrollment } from '@mlcapsule/attestation/tpm/node'
import { wipe } from '@mlcapsule/crypto'
import {
  addCommand,
  type CliContext,
  type CommandText,
  type CommonOptions,
  collect,
  printReport,
} from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readSmallFile, writeWholeFile } from '../../node/files.ts'
import { indented } from '../describe.ts'

const certificateMaxSizeBytes = 8192
const defaultHandle = 0x8101_0010

interface TpmCommandOptions extends CommonOptions {
  readonly output: string
  readonly handle: number
  readonly tcti?: string
}

interface RequestOptions extends TpmCommandOptions {
  readonly keyType: 'ecc' | 'rsa'
  readonly ek: EkKind
  readonly ekCertificate?: string
  readonly intermediate?: readonly string[]
}

export function addTpm(context: CliContext, program: Command): void {
  const tpm = program
    .command('tpm')
    .description('have a provider enroll an attestation key in the TPM of this machine; needs tpm2-tools')
  addRequest(context, tpm)
  addAnswer(context, tpm)
}

function handleOption(text: string): number {
  if (/^0x81[0-7][0-9a-f]{5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a persistent handle, 0x81000000 to 0x817fffff.')
}

function addTpmCommand(tpm: Command, text: CommandText): Command {
  return addCommand(tpm, text)
    .requiredOption('-o, --output <file>', 'where to write it')
    .addOption(
      new Option('--handle <handle>', 'where in the TPM the attestation key is')
        .argParser(handleOption)
        .default(defaultHandle, `0x${defaultHandle.toString(16)}`),
    )
    .option('--tcti <tcti>', 'how the TPM is reached (default: device:/dev/tpmrm0)')
}

const tpmOptions = ({ handle, tcti }: TpmCommandOptions) => ({
  handle,
  ...(tcti === undefined ? {} : { tcti }),
})

function addRequest(context: CliContext, tpm: Command): void {
  addTpmCommand(tpm, {
    name: 'request',
    about: 'make an attestation key in the TPM, unless there is one, and ask the provider to enroll it',
    examples: [
      'tpm request -o request.json   # give this file to the provider',
      'tpm request -o request.json --ek P-384 --intermediate series.der',
    ],
  })
    .addOption(
      new Option('--key-type <type>', 'of the attestation key').choices(['ecc', 'rsa']).default('ecc'),
    )
    .addOption(
      new Option('--ek <key>', 'endorsement key by whose certificate it is enrolled')
        .choices(['rsa', 'P-256', 'P-384'])
        .default('rsa'),
    )
    .option(
      '--ek-certificate <file>',
      "the endorsement key's certificate in DER, where its maker keeps it on a server and not in the TPM",
    )
    .option(
      '--intermediate <file>',
      "certificate in DER of an authority between the endorsement key and its maker's root; repeatable",
      collect,
    )
    .action(async (options: RequestOptions) => {
      const { keyType, ek, ekCertificate, intermediate = [], output } = options
      const readCertificate = (it: string) => readSmallFile(it, certificateMaxSizeBytes)
      const asked = {
        ...tpmOptions(options),
        keyType,
        ek,
        intermediates: await Promise.all(intermediate.map(readCertificate)),
        ...(ekCertificate === undefined ? {} : { ekCertificate: await readCertificate(ekCertificate) }),
      }
      const { request, akName, isKeyNew } = await requestEnrollment(asked)
      await writeWholeFile(output, encodeEnrollmentRequest(request))
      const handle = `0x${options.handle.toString(16)}`
      const pairs = [
        ['attestation key', akName],
        ['handle', `${handle}, ${isKeyNew ? 'made now' : 'was there before, and is used again'}`],
        ['endorsement key', ek],
      ] as const
      printReport(context, options, {
        text: `${context.style.green('wrote')} ${output}\n\n${indented(context.style, pairs)}`,
        json: { file: output, akName, handle, isKeyNew, keyType, ek },
      })
    })
}

function addAnswer(context: CliContext, tpm: Command): void {
  addTpmCommand(tpm, {
    name: 'answer <offer>',
    about: "have the TPM open a provider's offer, which shows that both keys live in it",
    examples: ['tpm answer offer.json -o answer.json   # give this file to the provider, and to nobody else'],
  }).action(async (path: string, options: TpmCommandOptions) => {
    const offer = decodeEnrollmentOffer(await readSmallFile(path, enrollmentFileMaxSizeBytes))
    const { id, answer } = await answerOffer(offer, tpmOptions(options))
    const bytes = encodeEnrollmentAnswer({ id, answer })
    wipe(answer)
    try {
      await writeWholeFile(options.output, bytes, { mode: 0o600 })
    } finally {
      wipe(bytes)
    }
    const text = `${context.style.green('wrote')} ${options.output}: for the provider alone, who takes it once`
    printReport(context, options, { text, json: { file: options.output, id } })
  })
}
