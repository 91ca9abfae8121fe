// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile, manifestDigest, readReference } from '@mlcapsule/attestation'
import { checkLogProof, decodeLogProof, proofMaxSizeBytes } from '@mlcapsule/attestation/transparency'
import { cryptoReady, keyThumbprint, toHex } from '@mlcapsule/crypto'
import { formatCount, printable } from '@mlcapsule/terminal'
import { addCommand, type CliContext, type CommonOptions, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { ClientError } from '../../errors.ts'
import { readSmallFile, readTokenFile, readTokenFileIfThere, writeWholeFile } from '../../node/files.ts'
import { readPublicKey } from '../../node/public-key.ts'
import { readManifest } from '../../node/read-manifest.ts'
import { indented } from '../describe.ts'

interface CheckOptions extends CommonOptions {
  readonly reference: string
  readonly proof: string
  readonly logKey: string
  readonly knownHead?: string
  readonly manifest?: string
  readonly signer?: string
}

function refuse(detail: string, field: string): never {
  throw new ClientError('CLIENT_MEASUREMENT_UNKNOWN', detail, { field })
}

async function check(options: CheckOptions) {
  await cryptoReady()
  const token = await readTokenFile(options.reference)
  const reference = await readReference(token)
  if (
    options.signer !== undefined &&
    reference.signer !== keyThumbprint(await readPublicKey(options.signer))
  ) {
    refuse('the reference value is by another signer', 'signer')
  }
  const { manifest } = options
  if (manifest !== undefined && reference.manifest !== toHex(manifestDigest(await readManifest(manifest)))) {
    refuse(`${manifest} is not the manifest that the reference value names`, 'manifest')
  }
  const { knownHead } = options
  const known = knownHead === undefined ? undefined : await readTokenFileIfThere(knownHead)
  const head = await checkLogProof({
    entry: token,
    proof: decodeLogProof(await readSmallFile(options.proof, proofMaxSizeBytes)),
    logs: [keyThumbprint(await readPublicKey(options.logKey))],
    knownHead: known ?? null,
  })
  if (knownHead !== undefined) await writeWholeFile(knownHead, encodeTokenFile(head.token), { replace: true })
  return { reference, head, isExtension: known !== undefined }
}

export function addMeasurement(context: CliContext, program: Command): void {
  const { style } = context
  const measurement = program
    .command('measurement')
    .description('what a provider has published of its enclaves')
  addCommand(measurement, {
    name: 'check',
    about:
      "check that a measurement is in the provider's log, where everyone sees it; exit code 4 if it is not",
    examples: [
      'measurement check --reference release.jws --proof proof.json --log-key log.jwk --known-head head.jws',
      'measurement check --reference release.jws --proof proof.json --log-key log.jwk --manifest manifest.json',
    ],
  })
    .requiredOption('--reference <file>', 'the reference value: what measures this runs that manifest')
    .requiredOption('--proof <file>', 'proof of `mlcapsule-provider transparency prove`')
    .requiredOption('--log-key <file|key>', 'public key of the log, received over another way than the proof')
    .option(
      '--known-head <file>',
      'newest head that was seen: the log must still have all that it had; renewed, and made at first use',
    )
    .option('--manifest <file>', 'manifest of `mlcapsule measure` that the reference value has to name')
    .option('--signer <file|key>', 'public key that has to have signed the reference value')
    .action(async (options: CheckOptions) => {
      const { reference, head, isExtension } = await check(options)
      const pairs = [
        ['release', printable(reference.release)],
        ['platform', reference.platform],
        ...Object.entries(reference.measurement).map(([name, value]) => [name, value] as const),
        ['manifest', reference.manifest],
        ['signer', reference.signer],
        ['log', `${head.log}, ${formatCount(head.count)} entries`],
        ['history', isExtension ? 'extends the head that was known' : 'no head was known before'],
      ] as const
      const json = {
        reference,
        head: { log: head.log, count: head.count, root: toHex(head.root), signedAtMs: head.signedAtMs },
        extendsKnownHead: isExtension,
      }
      printReport(context, options, {
        text: `${style.green('published')}\n\n${indented(style, pairs)}`,
        json,
      })
    })
}
