// SPDX-License-Identifier: Apache-2.0
// What makes evidence in the virtual machines that the entry `vm` knows, by the kind that its arguments name.
import { fileURLToPath } from 'node:url'
import { decodeTokenFile } from '@mlcapsule/attestation'
import { azureVtpmAttester } from '@mlcapsule/attestation/azure-vtpm/node'
import { nitroAttester } from '@mlcapsule/attestation/nitro/node'
import { sevSnpAttester } from '@mlcapsule/attestation/sev-snp/node'
import { tdxAttester } from '@mlcapsule/attestation/tdx/node'
import { tpmAttester } from '@mlcapsule/attestation/tpm/node'
import { type Attester, isMlCapsuleError } from '@mlcapsule/contracts'
import { readSmallFile, systemCode } from '@mlcapsule/contracts/node'

/** The entry was started with arguments that it cannot use. */
export class EntryArgumentError extends Error {}

type Json = Readonly<Record<string, unknown>>

/** More than any credential has. */
const credentialFileMaxSizeBytes = 8192

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const areNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every(isNumber)

function required<Value>(options: Json, name: string, fits: (value: unknown) => value is Value): Value {
  const value = options[name]
  if (fits(value)) return value
  throw new EntryArgumentError(`the third argument: ${name} is missing, or of another type`)
}

/** With its name, or nothing where it is absent. */
function optional<Name extends string, Value>(
  options: Json,
  name: Name,
  fits: (value: unknown) => value is Value,
): Partial<Record<Name, Value>> {
  if (!Object.hasOwn(options, name)) return {}
  return { [name]: required(options, name, fits) } as Partial<Record<Name, Value>>
}

interface Kind {
  /** Members that its options may have. */
  readonly members: readonly string[]
  make(options: Json, folder: URL): Attester | Promise<Attester>
}

const kinds: Readonly<Record<string, Kind>> = {
  tdx: { members: [], make: () => tdxAttester() },
  'sev-snp': { members: [], make: () => sevSnpAttester() },
  nitro: {
    members: ['addonPath'],
    make: (options, folder) => nitroAttester({ addonPath: addonPath(options, folder) }),
  },
  tpm: {
    members: ['handle', 'pcrs', 'credential', 'tcti'],
    make: async (options) =>
      tpmAttester({
        handle: required(options, 'handle', isNumber),
        pcrs: required(options, 'pcrs', areNumbers),
        akCredential: await readCredential(required(options, 'credential', isText)),
        ...optional(options, 'tcti', isText),
      }),
  },
  'azure-vtpm-sev-snp': {
    members: ['pcrs', 'handle', 'tcti'],
    make: (options) =>
      azureVtpmAttester({
        hardware: 'sev-snp',
        pcrs: required(options, 'pcrs', areNumbers),
        ...optional(options, 'handle', isNumber),
        ...optional(options, 'tcti', isText),
      }),
  },
}

/**
 * The attester of a kind of machine.
 * @param kind second argument of the entry
 * @param optionsText third argument: JSON, absent where the kind needs nothing
 * @param folder of the entry's file
 * @throws EntryArgumentError for a kind that there is none of, and for options that it cannot use
 */
export async function attesterOf(
  kind: string | undefined,
  optionsText: string | undefined,
  folder: URL,
): Promise<Attester> {
  const found = Object.entries(kinds).find(([name]) => name === kind)?.[1]
  if (found === undefined) {
    const said =
      kind === undefined ? 'is missing' : `${JSON.stringify(kind.slice(0, 64))} is no kind of machine`
    throw new EntryArgumentError(
      `the second argument ${said}: expected one of ${Object.keys(kinds).join(', ')}`,
    )
  }
  const options = parseOptions(optionsText ?? '{}')
  const unknown = Object.keys(options).find((it) => !found.members.includes(it))
  if (unknown !== undefined) {
    const takes = found.members.length === 0 ? 'no options' : found.members.join(', ')
    throw new EntryArgumentError(
      `the third argument has ${JSON.stringify(unknown.slice(0, 64))}: ${kind} takes ${takes}`,
    )
  }
  try {
    return await found.make(options, folder)
  } catch (error) {
    if (isMlCapsuleError(error)) throw new EntryArgumentError(`the third argument: ${error.message}`)
    throw error
  }
}

function parseOptions(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  } catch {
    // Said below.
  }
  throw new EntryArgumentError('the third argument is no object in JSON')
}

/**
 * What is loaded runs inside: arguments choose among the files that lie, and so are measured, beside the entry, and name
 * none that lies elsewhere.
 */
function addonPath(options: Json, folder: URL): string {
  const { addonPath: name = 'mlcapsule-nsm.node' } = optional(options, 'addonPath', isText)
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(name)) return fileURLToPath(new URL(name, folder))
  throw new EntryArgumentError('the third argument: addonPath is no name of a file beside the entry')
}

async function readCredential(path: string): Promise<string> {
  try {
    return decodeTokenFile(await readSmallFile(path, credentialFileMaxSizeBytes))
  } catch (error) {
    if (isMlCapsuleError(error)) throw error
    throw new EntryArgumentError(`the third argument: credential cannot be read (${systemCode(error)})`)
  }
}
