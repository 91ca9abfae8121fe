// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  sha256,
  utf8Bytes,
} from '@mlcapsule/crypto'
import {
  type CapsuleDescriptionInput,
  memoryCapsuleSink,
  type PackResult,
  type WriteCapsuleOptions,
  writeCapsule,
} from '../src/index.ts'

await cryptoReady()

/** Bytes that look random and are the same in every run. */
export function seededBytes(seed: string, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0, block = 0; at < sizeBytes; at += 32, block++) {
    bytes.set(sha256(utf8Bytes(`${seed}/${block}`)).subarray(0, sizeBytes - at), at)
  }
  return bytes
}

/** A replacement for the writer's source of randomness. */
export function seededRandom(seed: string): (sizeBytes: number) => Uint8Array {
  let call = 0
  return (sizeBytes) => seededBytes(`${seed}/${call++}`, sizeBytes)
}

export const publisher: SigningKeyPair = generateSigningKeyPair(seededBytes('publisher', 32))
export const stranger: SigningKeyPair = generateSigningKeyPair(seededBytes('stranger', 32))
export const authority: SigningKeyPair = generateSigningKeyPair(seededBytes('authority', 32))

export const description: CapsuleDescriptionInput = {
  modelName: 'Test model',
  modelVersion: 3,
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
  minimumTier: 'simulated',
  authority: [keyThumbprint(authority.publicKey)],
}

/** Smallest pages, so that tests and vectors stay small. */
export const smallPageSizeBytes = 4_096

/** Chunks whose borders fall anywhere but on page borders. */
export function* oddChunks(bytes: Uint8Array, chunkSizeBytes: number = 1_013): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkSizeBytes) yield bytes.subarray(at, at + chunkSizeBytes)
}

export interface Packed extends PackResult {
  readonly bytes: Uint8Array
}

export async function pack(
  program: Uint8Array,
  weights: Uint8Array,
  options: Partial<WriteCapsuleOptions> = {},
): Promise<Packed> {
  const sink = memoryCapsuleSink()
  const result = await writeCapsule(sink, {
    core: description,
    publisher,
    program,
    weights: { sizeBytes: weights.length, chunks: oddChunks(weights) },
    pageSizeBytes: smallPageSizeBytes,
    ...options,
  })
  return { ...result, bytes: sink.bytes() }
}
