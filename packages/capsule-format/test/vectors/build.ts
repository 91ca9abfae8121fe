import {
  concatBytes,
  encodeCbor,
  generateSigningKeyPair,
  keyThumbprintBytes,
  Secret,
  type SigningKeyPair,
} from '@mlcapsule/crypto'
import { encodeHeader, encodePrefix } from '../../src/header/header.ts'
import { CapsuleKeys } from '../../src/keys/capsule-keys.ts'
import { type BlobName, blobNames, programLayout, weightsLayout } from '../../src/layout/geometry.ts'
import { createTreeHasher, leafHash } from '../../src/layout/tree.ts'
import { encodeProgramBlob } from '../../src/program/program-blob.ts'
import { authority, publisher, seededBytes, smallPageSizeBytes } from '../fixtures.ts'

// Builds capsules out of any parts, right or wrong: the writer proper refuses to make the wrong ones.

export const contentKeyBytes: Uint8Array = seededBytes('vectors/content-key', 32)
export const capsuleId: Uint8Array = seededBytes('vectors/capsule-id', 32)
export const program: Uint8Array = seededBytes('vectors/program', 300)
export const weights: Uint8Array = seededBytes('vectors/weights', 10_000)

export function contentKey(): Secret<'content-key'> {
  return Secret.fromBytes('content-key', contentKeyBytes)
}

/** The core of the base vector as CBOR keys and values, to be changed by a scenario. */
export function coreMap(): Map<unknown, unknown> {
  const programPart = programLayout(1, smallPageSizeBytes)
  const weightsPart = weightsLayout(weights.length, smallPageSizeBytes)
  return new Map<unknown, unknown>([
    [1, 1],
    [2, 1],
    [3, capsuleId],
    [4, 'vector'],
    [5, 'Vector'],
    [6, 1],
    [7, [['x', 0, ['batch', 4]]]],
    [8, [['y', 0, ['batch', 2]]]],
    [9, null],
    [10, null],
    [11, publisher.publicKey],
    [12, [keyThumbprintBytes(authority.publicKey)]],
    [13, smallPageSizeBytes],
    [
      14,
      [
        [programPart.pageCount, programPart.paddedSizeBytes],
        [weightsPart.pageCount, weightsPart.paddedSizeBytes],
      ],
    ],
    [15, 1],
    [16, null],
  ])
}

export interface Parts {
  readonly coreBytes: Uint8Array
  readonly commit: Uint8Array
  readonly root: Uint8Array
  /** Sealed pages of the program, then of the weights. */
  readonly pages: readonly Uint8Array[]
}

/** Plaintext of the program blob of the base vector, padded. */
export function programPlaintext(): Uint8Array {
  const plaintext = new Uint8Array(programLayout(1, smallPageSizeBytes).paddedSizeBytes)
  plaintext.set(
    encodeProgramBlob({ program, weightsSizeBytes: weights.length, defenses: [], answerPolicy: null }),
  )
  return plaintext
}

/** Seals both blobs under a core, as its keys have it. */
export async function buildParts(
  coreBytes: Uint8Array = encodeCbor(coreMap()),
  programBlob: Uint8Array = programPlaintext(),
): Promise<Parts> {
  const blobs = {
    program: programLayout(1, smallPageSizeBytes),
    weights: weightsLayout(weights.length, smallPageSizeBytes),
  }
  const paddedWeights = new Uint8Array(blobs.weights.paddedSizeBytes)
  paddedWeights.set(weights)
  const plaintexts: Readonly<Record<BlobName, Uint8Array>> = { program: programBlob, weights: paddedWeights }
  const keys = CapsuleKeys.deriveUnchecked(contentKey(), { capsuleId, blobs, coreBytes })
  const tree = createTreeHasher()
  const pages: Uint8Array[] = []
  for (const blob of blobNames) {
    for (let index = 0; index < blobs[blob].pageCount; index++) {
      const start = index * smallPageSizeBytes
      const page = await keys.sealPage(
        plaintexts[blob].subarray(start, start + smallPageSizeBytes),
        blob,
        index,
      )
      tree.add(await leafHash(blob, index, page))
      pages.push(page)
    }
  }
  return { coreBytes, commit: keys.commit, root: tree.root(), pages }
}

export function assemble(
  headerBytes: Uint8Array,
  pages: readonly Uint8Array[],
  signer: SigningKeyPair = publisher,
): Uint8Array {
  return concatBytes(encodePrefix(headerBytes, signer), ...pages)
}

export function assembleParts(parts: Parts, signer: SigningKeyPair = publisher): Uint8Array {
  return assemble(encodeHeader(parts.coreBytes, parts.commit, parts.root), parts.pages, signer)
}

/** A key pair that nobody trusts. */
export const attacker: SigningKeyPair = generateSigningKeyPair(seededBytes('vectors/attacker', 32))
