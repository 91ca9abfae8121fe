// SPDX-License-Identifier: Apache-2.0
import { CryptoError, concatBytes, decodeCbor, encodeCbor, uint64Bytes } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import type { CapsuleHeader } from '../header/types.ts'
import { programLayout, weightsLayout } from '../layout/geometry.ts'
import { capsuleLimits } from '../limits.ts'

/** A defense that the enclave must run, in the order of the list. */
export interface DefenseConfig {
  /** Name of a defense plugin of the enclave: lower-case words joined by hyphens. */
  readonly name: string
  /** Exact version of the plugin. */
  readonly version: number
  /** What the plugin's own schema validates: numbers, text, booleans, null, arrays and objects. */
  readonly config: unknown
}

/** What the program blob holds; secret, like the weights. */
export interface ProgramBlob {
  /** Program of the engine (see inference-kernels), opaque here. */
  readonly program: Uint8Array
  /** Size of the weights without their padding. */
  readonly weightsSizeBytes: number
  readonly defenses: readonly DefenseConfig[]
  /** How answers are shaped, for the enclave to validate; null for the default. */
  readonly answerPolicy: unknown
}

/** Two u64: size of the document and size of the weights. */
const lengthsSizeBytes = 16

const defenseNamePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

function malformed(detail: string, cause?: unknown): never {
  throw new CapsuleFormatError('CAPSULE_PROGRAM_MALFORMED', detail, { field: 'program', cause })
}

/**
 * u64 documentLength ‖ u64 weightsLength ‖ document, without the padding. The document is deterministic CBOR, in which
 * finite fractions are allowed: {1: program, 2: [[name, version, config] …], 3: answerPolicy}.
 * @throws CryptoError `CBOR_UNENCODABLE` if a configuration is not made of plain values
 */
export function encodeProgramBlob(blob: ProgramBlob): Uint8Array {
  const document = encodeCbor(
    new Map<number, unknown>([
      [1, blob.program],
      [2, blob.defenses.map(({ name, version, config }) => [name, version, config])],
      [3, blob.answerPolicy],
    ]),
    { allowFloats: true },
  )
  return concatBytes(uint64Bytes(document.length), uint64Bytes(blob.weightsSizeBytes), document)
}

/**
 * Reads the opened program blob, padding included.
 * @param plaintext all pages of the blob, in order
 * @throws CapsuleFormatError `CAPSULE_PROGRAM_MALFORMED`
 */
export function decodeProgramBlob(plaintext: Uint8Array, header: Pick<CapsuleHeader, 'blobs'>): ProgramBlob {
  const { program: layout, weights } = header.blobs
  if (plaintext.length !== layout.paddedSizeBytes) {
    malformed(`expected ${layout.paddedSizeBytes} bytes, got ${plaintext.length}`)
  }
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, lengthsSizeBytes)
  const documentSizeBytes = view.getBigUint64(0)
  const weightsSizeBytes = view.getBigUint64(8)
  if (documentSizeBytes > BigInt(plaintext.length - lengthsSizeBytes))
    malformed('the document ends after the blob')
  if (weightsSizeBytes > BigInt(weights.paddedSizeBytes)) malformed('the weights end after their blob')
  const endBytes = lengthsSizeBytes + Number(documentSizeBytes)
  if (programLayout(endBytes, layout.pageSizeBytes).paddedSizeBytes !== layout.paddedSizeBytes) {
    malformed('the document does not have the padding that its length calls for')
  }
  const expected = weightsLayout(Number(weightsSizeBytes), weights.pageSizeBytes)
  if (expected.paddedSizeBytes !== weights.paddedSizeBytes) {
    malformed('the weights do not have the padding that their length calls for')
  }
  if (!plaintext.subarray(endBytes).every((byte) => byte === 0)) malformed('the padding is not zero')
  return {
    ...readDocument(plaintext.subarray(lengthsSizeBytes, endBytes)),
    weightsSizeBytes: Number(weightsSizeBytes),
  }
}

function readDocument(bytes: Uint8Array): Omit<ProgramBlob, 'weightsSizeBytes'> {
  let document: unknown
  try {
    document = decodeCbor(bytes, { maxSizeBytes: capsuleLimits.programMaxPaddedSizeBytes, allowFloats: true })
  } catch (cause) {
    if (cause instanceof CryptoError) malformed(`the document: ${cause.message}`, cause)
    throw cause
  }
  if (!(document instanceof Map) || document.size !== 3 || ![1, 2, 3].every((key) => document.has(key))) {
    malformed('the document is not a map with the keys 1, 2 and 3')
  }
  const program: unknown = document.get(1)
  if (!(program instanceof Uint8Array)) malformed('the program is not a byte string')
  return { program, defenses: readDefenses(document.get(2)), answerPolicy: document.get(3) }
}

function readDefenses(value: unknown): readonly DefenseConfig[] {
  if (!Array.isArray(value)) malformed('the defenses are not an array')
  if (value.length > capsuleLimits.defenseMaxCount)
    malformed(`more than ${capsuleLimits.defenseMaxCount} defenses`)
  const defenses = value.map(readDefense)
  if (new Set(defenses.map(({ name }) => name)).size !== defenses.length)
    malformed('a defense is listed twice')
  return defenses
}

function readDefense(value: unknown): DefenseConfig {
  if (!Array.isArray(value) || value.length !== 3) malformed('a defense is not an array of three')
  const [name, version, config] = value as [unknown, unknown, unknown]
  if (
    typeof name !== 'string' ||
    name.length > capsuleLimits.defenseNameMaxLength ||
    !defenseNamePattern.test(name)
  ) {
    malformed("a defense's name is not lower-case words joined by hyphens")
  }
  const isVersion = typeof version === 'number' && Number.isInteger(version)
  if (!isVersion || version < 1 || version > capsuleLimits.versionMax) {
    malformed("a defense's version is not a positive integer")
  }
  return { name, version, config }
}
