// SPDX-License-Identifier: Apache-2.0
import type { IsolationTier, TensorSpec } from '@mlcapsule/contracts'
import type { BlobLayout, BlobName } from '../layout/geometry.ts'

/**
 * How an image becomes the model's first input. The client's SDK does this, outside the enclave: resize (Lanczos, with
 * antialiasing, keeping the aspect ratio), crop the center, then per channel (value × scale − mean) ÷ std, value being
 * 0 to 255. Fractions are integers in steps of 10⁻⁹, since the header holds no floats.
 */
export interface ImagePreprocessing {
  readonly kind: 'image'
  readonly layout: 'NCHW' | 'NHWC'
  readonly colorOrder: 'RGB' | 'BGR' | 'gray'
  /** Pixels, or null to leave the size. */
  readonly resizeShorterSide: number | null
  /** Pixels, or null to keep all. */
  readonly crop: { readonly height: number; readonly width: number } | null
  /** 3921569 for 1/255. */
  readonly scaleNano: number
  /** One per channel: three, or one for gray. */
  readonly meanNano: readonly number[]
  /** One per channel, positive. */
  readonly stdNano: readonly number[]
}

/** What the publisher says of the model; all of it is public. */
export interface CapsuleDescription {
  /** Lower-case letters, digits, `.`, `_`, `-`; the same for all versions of a model. */
  readonly modelId: string
  readonly modelName: string
  /** 1 or more; higher is newer. */
  readonly modelVersion: number
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly preprocessing: ImagePreprocessing | null
  /** Names of the classes of the first output (`classDimension` of contracts), or null. */
  readonly labels: readonly string[] | null
  /** Least isolation under which the publisher lets the model run. */
  readonly minimumTier: IsolationTier
  /** Where a key may be asked for: a hint, until a pinned key vouches for it. */
  readonly keyReleaseUrl: string | null
  /** Thumbprints of the keys that sign challenges and licenses for this capsule. Never the publisher's. */
  readonly authority: readonly string[]
}

/** A validated header. */
export interface CapsuleHeader extends CapsuleDescription {
  readonly formatVersion: number
  readonly suite: number
  /** 32 bytes, drawn anew for each packing. */
  readonly capsuleId: Uint8Array
  /** The key that the signature verified under; trusted only if it was pinned. */
  readonly publisher: { readonly publicKey: Uint8Array; readonly thumbprint: string }
  readonly pageSizeBytes: number
  readonly blobs: Readonly<Record<BlobName, BlobLayout>>
  /** Commitment to the content key, 32 bytes. */
  readonly commit: Uint8Array
  /** Root of the tree over all pages, 32 bytes. */
  readonly root: Uint8Array
  /** The core as it was signed: salt of the key derivation. */
  readonly coreBytes: Uint8Array
}
