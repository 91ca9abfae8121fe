// SPDX-License-Identifier: Apache-2.0
import {
  encodeTokenFile,
  manifestDigest,
  parseManifest,
  type ReferenceValue,
  readReference,
  signReference,
} from '@mlcapsule/attestation'
import { cryptoReady, signingKeyPairFrom, toHex, wipe } from '@mlcapsule/crypto'
import { fields, printable } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parsePolicyText, policyMaxSizeBytes } from '../../attestation/policy-text.ts'
import { referenceStore } from '../../attestation/reference-store.ts'
import { verifiers } from '../../attestation/verifiers.ts'
import { readTextFile, readTokenFile, writeWholeFile } from '../../files/files.ts'
import { readKeyFile } from '../../keys/key-file.ts'
import { storePaths } from '../../store/paths.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { listed } from '../describe.ts'

function collectRegisters(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([a-z][A-Za-z0-9]{0,31})=([0-9a-fA-F]+)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('Expected register=hex, e.g. mrTd=0b3c….')
  return { ...previous, [name]: value.toLowerCase() }
}

function describe(context: CliContext, { release, platform, measurement, manifest, signer }: ReferenceValue) {
  const pairs = [
    ['release', printable(release)],
    ['platform', platform],
    ...listed(
      'measured',
      Object.entries(measurement).map(([name, value]) => `${name} ${value}`),
    ),
    ['manifest', manifest],
    ['signer', signer],
  ] as const
  return fields(pairs, { indent: '  ', nameStyle: context.style.dim })
}

interface CreateOptions extends StoreOptions {
  readonly release: string
  readonly platform: string
  readonly register: Readonly<Record<string, string>>
  readonly manifest: string
  readonly output: string
  readonly force?: true
}

export function addReference(context: CliContext, program: Command): void {
  const { style } = context
  const reference = program
    .command('reference')
    .description('which manifest the measurement of a hardware platform stands for')
  addStoreCommand(context, reference, {
    name: 'create',
    about: "sign, with the publisher's key, that who measures this runs that manifest",
    examples: [
      'reference create --release runtime-1.2.0 --platform tdx --register manifestSha384=0b… --manifest manifest.json -o release.jws',
    ],
  })
    .requiredOption('--release <name>', 'name and version of what was built')
    .addOption(
      new Option('--platform <name>', 'whose measurement it is')
        .choices(verifiers.map((it) => it.name))
        .makeOptionMandatory(),
    )
    .requiredOption('--register <name=hex>', 'a register that was measured; repeatable', collectRegisters)
    .requiredOption('--manifest <file>', 'manifest of the build')
    .requiredOption('-o, --output <file>', 'where to write it')
    .option('--force', 'replace a file that is there')
    .action(async (options: CreateOptions) => {
      await cryptoReady()
      const text = await readTextFile(options.manifest, policyMaxSizeBytes)
      const manifest = toHex(manifestDigest(parseManifest(parsePolicyText(text, options.manifest))))
      const key = await readKeyFile(storePaths(options.store).privateKey('publisher'), 'publisher')
      const signer = signingKeyPairFrom(key)
      const { release, platform, register } = options
      let token: string
      try {
        token = await signReference({ signer, release, platform, measurement: register, manifest })
      } finally {
        wipe(signer.privateKey)
      }
      await writeWholeFile(options.output, encodeTokenFile(token), { replace: options.force === true })
      const value = await readReference(token)
      const shown = `${style.green('wrote')} ${options.output}\n\n${describe(context, value)}`
      printReport(context, options, { text: shown, json: { file: options.output, reference: value } })
    })
  addStoreCommand(context, reference, {
    name: 'import <files...>',
    about: 'take in reference values; they count where a policy names their signer',
    examples: ['reference import release.jws'],
  }).action(async (files: readonly string[], options: StoreOptions) => {
    const store = referenceStore(storePaths(options.store).referencesDir)
    const taken: ReferenceValue[] = []
    for (const file of files) taken.push(await store.add(await readTokenFile(file)))
    const text = taken.map((it) => `${style.green('took in')}\n${describe(context, it)}`).join('\n\n')
    printReport(context, options, { text, json: { references: taken } })
  })
  addStoreCommand(context, reference, {
    name: 'list',
    about: 'show the reference values of the store',
    examples: ['reference list', 'reference list --json'],
  }).action(async (options: StoreOptions) => {
    const tokens = await referenceStore(storePaths(options.store).referencesDir).tokens()
    const values = await Promise.all(tokens.map(readReference))
    const text = values.map((it) => describe(context, it)).join('\n\n')
    printReport(context, options, {
      text: values.length === 0 ? 'There are no reference values yet.' : text,
      json: { references: values },
    })
  })
}
