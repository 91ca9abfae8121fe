// SPDX-License-Identifier: Apache-2.0
import {
  type AttestationPolicy,
  manifestDigest,
  parseManifest,
  parsePolicy,
  suggestedSection,
} from '@mlcapsule/attestation'
import { keyThumbprint, toHex } from '@mlcapsule/crypto'
import { fields, printable } from '@mlcapsule/terminal'
import {
  addCommand,
  type CliContext,
  type CommonOptions,
  collect,
  printReport,
} from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { readPolicyFile, storePolicyFile, writePolicyFile } from '../../attestation/policy-file.ts'
import { parsePolicyText, policyMaxSizeBytes } from '../../attestation/policy-text.ts'
import { emptyRules, parseRule, type SectionRule } from '../../attestation/section-rules.ts'
import { supportedPlatforms, verifiers } from '../../attestation/verifiers.ts'
import { ProviderError } from '../../errors.ts'
import { readTextFile } from '../../files/files.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { listed } from '../describe.ts'
import { addPolicyCheck } from './policy-check.ts'

const entries = ['worker', 'process', 'gramine', 'vm'] as const
const tiers = ['process', 'sgx', 'tdx', 'sev-snp', 'nitro'] as const

/** A manifest file's digest, or a digest itself. */
async function readReference(digestOrPath: string): Promise<{ sha384: string }> {
  if (/^[0-9a-f]{96}$/.test(digestOrPath)) return { sha384: digestOrPath }
  const manifest = parseManifest(
    parsePolicyText(await readTextFile(digestOrPath, policyMaxSizeBytes), digestOrPath),
  )
  return { sha384: toHex(manifestDigest(manifest)) }
}

const readThumbprint = async (key: string) => keyThumbprint(await readPublicKey(key))

/** Every rule as its platform suggests it, but for those that are given. */
function sectionsOf(platforms: readonly string[], given: readonly SectionRule[]) {
  const chosen = verifiers.filter((it) => platforms.includes(it.name))
  const sections = chosen.map(({ name, rules }) => [name, { ...suggestedSection(rules) }] as const)
  const byName = new Map<string, Record<string, unknown>>(sections)
  for (const { platform, rule, value } of given) {
    const section = byName.get(platform)
    if (section === undefined) {
      const detail = `--rule ${platform}.${rule}: name the platform with --platform as well`
      throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'rule' })
    }
    section[rule] = value
  }
  return Object.fromEntries(byName)
}

const simulatedNames = supportedPlatforms
  .filter(({ rootKind }) => rootKind === 'simulated')
  .map(({ verifier }) => verifier.name)

function describe(context: CliContext, policy: AttestationPolicy): string {
  const { style } = context
  const manifests =
    policy.manifests === 'any'
      ? ['any']
      : policy.manifests.map((it) => ('sha384' in it ? it.sha384 : 'by component'))
  const empty = emptyRules(policy, verifiers)
  const lines = [
    fields(
      [
        ['name', printable(policy.name)],
        ['minimum tier', policy.minimumTier],
        ['manifests', `${manifests[0]}${manifests.length > 1 ? ` and ${manifests.length - 1} more` : ''}`],
        ['unattested', policy.allowUnattested.join(', ') || 'none'],
        ['platforms', Object.keys(policy.platforms).join(', ') || 'none with hardware'],
        ...listed('unchecked', uncheckedFields(policy)),
        ...listed('to fill in', empty),
      ],
      { indent: '  ', nameStyle: style.dim },
    ),
  ]
  const withHardware = Object.keys(policy.platforms).some((it) => !simulatedNames.includes(it))
  if (withHardware && policy.referenceSigners.length === 0 && policy.manifests !== 'any')
    lines.push('', `${style.yellow('note')} ${noSignerNote}`)
  if (empty.length > 0) lines.push('', `${style.yellow('note')} ${emptyNote}`)
  if (policy.allowUnattested.length > 0)
    lines.push('', `${style.yellow('warning')} ${unattestedWarning(policy.allowUnattested)}`)
  return lines.join('\n')
}

const noSignerNote =
  'no reference signer is named: nothing that hardware measures leads to a manifest, and so none is accepted'

const emptyNote =
  'what is to fill in accepts nothing as it is, and so does its platform: write it into the file, or give it with --rule'

/** Where a policy says `any`. */
function uncheckedFields({ platforms, ...policy }: AttestationPolicy): readonly string[] {
  const inSections = Object.entries(platforms).flatMap(([name, section]) =>
    Object.entries(section).map(([rule, value]) => [`platforms.${name}.${rule}`, value] as const),
  )
  return [...Object.entries(policy), ...inSections].flatMap(([field, value]) =>
    value === 'any' ? [field] : [],
  )
}

/** Said wherever a policy lets keys out to what nothing vouches for. */
export function unattestedWarning(allowed: readonly string[]): string {
  return `no hardware vouches for entry ${allowed.join(', ')}: the owner of the client's machine can read the model`
}

interface CreateOptions extends StoreOptions {
  readonly output?: string
  readonly name: string
  readonly manifest: readonly string[]
  readonly minTier: (typeof tiers)[number]
  readonly allowUnattested?: readonly (typeof entries)[number][]
  readonly maxEvidenceAge: string
  readonly platform?: readonly string[]
  readonly rule?: readonly SectionRule[]
  readonly referenceSigner?: readonly string[]
  readonly force?: true
}

export function addPolicy(context: CliContext, program: Command): void {
  const { style } = context
  const policyCommand = program.command('policy').description('say which enclaves may have keys')
  addStoreCommand(context, policyCommand, {
    name: 'create',
    about: 'write a policy; without --output it becomes the one of the store',
    examples: [
      'policy create --manifest manifest.json',
      'policy create --manifest manifest.json --platform tdx --reference-signer publisher.jwk -o policy.yaml',
      `policy create --manifest manifest.json --platform tpm --min-tier process --rule 'tpm.ekRoots=["0b…"]' --rule 'tpm.pcrs={"0":["3d…"]}' -o policy.yaml`,
      'policy create --manifest manifest.json --allow-unattested process   # for development: see the warning',
    ],
  })
    .option('-o, --output <file>', 'where to write it')
    .option('--name <name>', 'name, shown in every decision', 'default')
    .requiredOption(
      '--manifest <file|digest>',
      'manifest of an enclave build, or its SHA-384; repeatable',
      collect,
    )
    .addOption(new Option('--min-tier <tier>', 'least isolation').choices(tiers).default('sgx'))
    .addOption(
      new Option(
        '--allow-unattested <entries...>',
        'entries that get keys although nothing vouches for them',
      ).choices(entries),
    )
    .option('--max-evidence-age <seconds>', 'oldest evidence that is taken, or "any"', 'any')
    .addOption(
      new Option(
        '--platform <names...>',
        'platforms with a section of their own, every rule in it as the platform suggests',
      ).choices(verifiers.map((it) => it.name)),
    )
    .option(
      '--rule <platform.rule=json>',
      "a rule of a platform's section, in place of the suggested one; repeatable",
      (text: string, previous: readonly SectionRule[] = []) => [...previous, parseRule(text)],
    )
    .option(
      '--reference-signer <file|key>',
      'public key of one who says which manifest a measurement stands for; repeatable',
      collect,
    )
    .option('--force', 'replace a policy that is there')
    .action(async (options: CreateOptions) => {
      const age = options.maxEvidenceAge === 'any' ? 'any' : Number(options.maxEvidenceAge)
      const policy = parsePolicy(
        {
          version: 1,
          name: options.name,
          minimumTier: options.minTier,
          allowUnattested: options.allowUnattested ?? [],
          manifests: await Promise.all(options.manifest.map(readReference)),
          maxEvidenceAgeSeconds: age,
          simulatedRoots: 'any',
          referenceSigners: await Promise.all((options.referenceSigner ?? []).map(readThumbprint)),
          platforms: sectionsOf(options.platform ?? [], options.rule ?? []),
          tcbStatuses: ['UpToDate', 'none'],
          advisories: [],
          debug: false,
        },
        verifiers,
      )
      const path = options.output ?? storePolicyFile(options.store)
      await writePolicyFile(path, policy, { replace: options.force === true })
      const text = `${style.green('wrote')} ${path}\n\n${describe(context, policy)}`
      printReport(context, options, { text, json: { file: path, policy } })
    })
  addCommand(policyCommand, {
    name: 'show <file>',
    about: 'check a policy and say what it lets in',
    examples: ['policy show mlcapsule-store/policy.json', 'policy show policy.yaml'],
  }).action(async (path: string, options: CommonOptions) => {
    const policy = await readPolicyFile(path)
    printReport(context, options, { text: describe(context, policy), json: policy })
  })
  addPolicyCheck(context, policyCommand)
}
