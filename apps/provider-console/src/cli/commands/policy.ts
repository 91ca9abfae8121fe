// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { type AttestationPolicy, manifestDigest, parseManifest, parsePolicy } from '@mlcapsule/attestation'
import { toHex } from '@mlcapsule/crypto'
import { fields, printable } from '@mlcapsule/terminal'
import {
  addCommand,
  type CliContext,
  type CommonOptions,
  collect,
  printReport,
} from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { ProviderError } from '../../errors.ts'
import { readTextFile, writeWholeFile } from '../../files/files.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

const policyMaxSizeBytes = 256 * 1024
const entries = ['worker', 'process', 'gramine', 'vm'] as const
const tiers = ['sgx', 'tdx', 'sev-snp', 'nitro'] as const

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProviderError('PROVIDER_POLICY_INVALID', `${path} is not JSON`, { field: path })
  }
}

/** @throws ProviderError `PROVIDER_FILE_*`, `PROVIDER_POLICY_INVALID`; AttestationError `POLICY_*` */
export async function readPolicyFile(path: string): Promise<AttestationPolicy> {
  return parsePolicy(parseJson(await readTextFile(path, policyMaxSizeBytes), path))
}

/** Where a store's own policy lies. */
export const storePolicyFile = (storeDir: string) => join(storeDir, 'policy.json')

/** A manifest file's digest, or a digest itself. */
async function readReference(digestOrPath: string): Promise<{ sha384: string }> {
  if (/^[0-9a-f]{96}$/.test(digestOrPath)) return { sha384: digestOrPath }
  const manifest = parseManifest(
    parseJson(await readTextFile(digestOrPath, policyMaxSizeBytes), digestOrPath),
  )
  return { sha384: toHex(manifestDigest(manifest)) }
}

function describe(context: CliContext, policy: AttestationPolicy): string {
  const { style } = context
  const manifests =
    policy.manifests === 'any'
      ? ['any']
      : policy.manifests.map((it) => ('sha384' in it ? it.sha384 : 'by component'))
  const lines = [
    fields(
      [
        ['name', printable(policy.name)],
        ['minimum tier', policy.minimumTier],
        ['manifests', `${manifests[0]}${manifests.length > 1 ? ` and ${manifests.length - 1} more` : ''}`],
        ['unattested', policy.allowUnattested.join(', ') || 'none'],
      ],
      { indent: '  ', nameStyle: style.dim },
    ),
  ]
  if (policy.allowUnattested.length > 0)
    lines.push('', `${style.yellow('warning')} ${unattestedWarning(policy.allowUnattested)}`)
  return lines.join('\n')
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
    .option('--force', 'replace a policy that is there')
    .action(async (options: CreateOptions) => {
      const age = options.maxEvidenceAge === 'any' ? 'any' : Number(options.maxEvidenceAge)
      const policy = parsePolicy({
        version: 1,
        name: options.name,
        minimumTier: options.minTier,
        allowUnattested: options.allowUnattested ?? [],
        manifests: await Promise.all(options.manifest.map(readReference)),
        maxEvidenceAgeSeconds: age,
        simulatedRoots: 'any',
        referenceSigners: [],
        platforms: {},
        tcbStatuses: ['UpToDate', 'none'],
        advisories: [],
        debug: false,
      })
      const path = options.output ?? storePolicyFile(options.store)
      await writeWholeFile(path, `${JSON.stringify(policy, null, 2)}\n`, { replace: options.force === true })
      const text = `${style.green('wrote')} ${path}\n\n${describe(context, policy)}`
      printReport(context, options, { text, json: { file: path, policy } })
    })
  addCommand(policyCommand, {
    name: 'show <file>',
    about: 'check a policy and say what it lets in',
    examples: ['policy show mlcapsule-store/policy.json'],
  }).action(async (path: string, options: CommonOptions) => {
    const policy = await readPolicyFile(path)
    printReport(context, options, { text: describe(context, policy), json: policy })
  })
}
