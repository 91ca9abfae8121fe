// SPDX-License-Identifier: Apache-2.0
import { decodeForeignCbor } from '../../cose/cbor.ts'
import { type CoseSign1, parseCoseSign1 } from '../../cose/sign1.ts'
import { AttestationError } from '../../errors.ts'

/** More than the Nitro Secure Module's longest answer. */
const documentMaxSizeBytes = 16_384
const certificateMaxSizeBytes = 1024
const certificatesMaxCount = 7
const pcrSizeBytes = 48
const pcrMaxIndex = 31
const moduleIdMaxLength = 256
const optionalMaxSizeBytes = { public_key: 1024, user_data: 512, nonce: 512 } as const

const required = ['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'] as const
const optional = ['public_key', 'user_data', 'nonce'] as const
type Member = (typeof required)[number] | (typeof optional)[number]

/** An attestation document as the module writes it. Nothing of it is trusted before `verifyNitro` has accepted it. */
export interface NitroDocument {
  readonly message: CoseSign1
  /** Names of its members, in their order. */
  readonly members: readonly string[]
  readonly moduleId: string
  readonly timestampMs: number
  /** By index, 0 to 31; 48 bytes each. 0, 1 and 2 are always there. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  /** DER of the certificate whose key signs, and of its issuers from the root down. */
  readonly certificate: Uint8Array
  readonly cabundle: readonly Uint8Array[]
  readonly publicKey: Uint8Array | null
  readonly userData: Uint8Array | null
  readonly nonce: Uint8Array | null
}

function malformed(detail: string): AttestationError {
  const text = `Nitro attestation document: ${detail}`
  return new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', text, { field: 'evidence.bytes' })
}

/**
 * Reads an attestation document of a Nitro enclave.
 * @param bytes COSE_Sign1, with its tag or without, at most 16,384
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, also for a member that is not known, such as those of documents
 * that a NitroTPM makes; `ATTESTATION_EVIDENCE_UNSUPPORTED` for another algorithm
 * @see AWS Nitro Enclaves NSM API, attestation process, §2.2
 */
export function parseNitroDocument(bytes: Uint8Array): NitroDocument {
  const message = parseCoseSign1(bytes, documentMaxSizeBytes)
  const what = 'payload of the Nitro attestation document'
  const limits = { what, maxSizeBytes: documentMaxSizeBytes, maxContainerCount: 3 }
  const payload = decodeForeignCbor(message.payload, limits)
  if (!(payload instanceof Map)) throw malformed('is no map')
  const known: readonly unknown[] = [...required, ...optional]
  const members = [...payload.keys()]
  if (!members.every((it) => known.includes(it))) throw malformed('has a member that is not known')
  const missing = required.find((it) => !payload.has(it))
  if (missing !== undefined) throw malformed(`has no ${missing}`)
  const member = (name: Member): unknown => payload.get(name)
  if (member('digest') !== 'SHA384') throw malformed('has a digest that is not SHA384')
  return {
    message,
    members,
    moduleId: readModuleId(member('module_id')),
    timestampMs: readTimestamp(member('timestamp')),
    pcrs: readPcrs(member('pcrs')),
    certificate: readCertificate(member('certificate')),
    cabundle: readBundle(member('cabundle')),
    publicKey: readOptional('public_key', member('public_key')),
    userData: readOptional('user_data', member('user_data')),
    nonce: readOptional('nonce', member('nonce')),
  }
}

function readModuleId(value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= moduleIdMaxLength) return value
  throw malformed(`has no module_id of 1 to ${moduleIdMaxLength} characters`)
}

function readTimestamp(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw malformed('has a timestamp that is not a number of milliseconds')
}

function readPcrs(value: unknown): ReadonlyMap<number, Uint8Array> {
  if (!(value instanceof Map)) throw malformed('has no map of PCRs')
  const pcrs = new Map<number, Uint8Array>()
  for (const [index, pcr] of value as ReadonlyMap<unknown, unknown>) {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index > pcrMaxIndex) {
      throw malformed(`has a PCR beyond 0 to ${pcrMaxIndex}`)
    }
    if (!(pcr instanceof Uint8Array) || pcr.length !== pcrSizeBytes) {
      throw malformed(`has a PCR ${index} of another size than ${pcrSizeBytes} bytes`)
    }
    pcrs.set(index, pcr)
  }
  // Without them nothing says what runs, nor whether it runs for debugging.
  if (![0, 1, 2].every((it) => pcrs.has(it))) throw malformed('lacks PCR 0, 1 or 2')
  return pcrs
}

function readCertificate(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length > 0 && value.length <= certificateMaxSizeBytes) return value
  throw malformed(`has a certificate of other than 1 to ${certificateMaxSizeBytes} bytes`)
}

function readBundle(value: unknown): readonly Uint8Array[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= certificatesMaxCount) {
    return value.map(readCertificate)
  }
  throw malformed(`has a cabundle of other than 1 to ${certificatesMaxCount} certificates`)
}

/** The module writes null for what it was not given; the specification has the member left out. */
function readOptional(name: (typeof optional)[number], value: unknown): Uint8Array | null {
  if (value === undefined || value === null) return null
  if (value instanceof Uint8Array && value.length <= optionalMaxSizeBytes[name]) return value
  throw malformed(`has a ${name} of more than ${optionalMaxSizeBytes[name]} bytes`)
}
