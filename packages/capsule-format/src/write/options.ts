// SPDX-License-Identifier: Apache-2.0
import type { AeadProvider, SigningKeyPair } from '@mlcapsule/crypto'
import type { CapsuleDescription } from '../header/types.ts'
import type { DefenseConfig } from '../program/program-blob.ts'

/** The description, with defaults: no preprocessing, no labels, no URL, and a model id made from the name. */
export type CapsuleDescriptionInput = Omit<
  CapsuleDescription,
  'modelId' | 'preprocessing' | 'labels' | 'keyReleaseUrl'
> &
  Partial<Pick<CapsuleDescription, 'modelId' | 'preprocessing' | 'labels' | 'keyReleaseUrl'>>

/** Weights in the order in which the kernels read them, in chunks of any size. */
export interface WeightStream {
  readonly sizeBytes: number
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | (() => AsyncIterable<Uint8Array>)
}

export interface WriteProgress {
  /** Sealed bytes written so far. */
  readonly doneBytes: number
  readonly totalBytes: number
}

export interface WriteCapsuleOptions {
  readonly core: CapsuleDescriptionInput
  /** Signs the header. Not one of the authority keys. */
  readonly publisher: SigningKeyPair
  readonly program: Uint8Array
  readonly weights: WeightStream
  /** In the order in which the enclave runs them; none when absent. */
  readonly defenses?: readonly DefenseConfig[]
  readonly answerPolicy?: unknown
  /** A power of two from 4 KiB to 4 MiB; 1 MiB when absent. */
  readonly pageSizeBytes?: number
  readonly onProgress?: (progress: WriteProgress) => void
  /** WebCrypto when absent. */
  readonly aead?: AeadProvider
  /** Source of the content key and the capsule id. Only test vectors replace it: repeated bytes repeat a nonce. */
  readonly random?: (sizeBytes: number) => Uint8Array
}

/** Lower-case, every other character a hyphen. */
export function defaultModelId(modelName: string): string {
  return modelName
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 64)
    .replace(/^[._-]+|[._-]+$/g, '')
}
