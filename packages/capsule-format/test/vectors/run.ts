// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError } from '@mlcapsule/contracts'
import { concatBytes, Secret, sha256, toHex } from '@mlcapsule/crypto'
import {
  blobNames,
  type Capsule,
  CapsuleKeys,
  decodeProgramBlob,
  openCapsule,
  type RandomAccessSource,
  type TrustedPublishers,
} from '../../src/index.ts'
import type { Expected } from './scenario.ts'

type Outcome = { -readonly [Name in keyof Expected]: Expected[Name] }

const guardByte = 0xee

/** Runs every step of the verification order, and says how each ended. */
export async function runVector(
  source: RandomAccessSource,
  publishers: TrustedPublishers,
  contentKey: Uint8Array,
): Promise<Outcome> {
  const outcome: Outcome = { open: 'ok' }
  let capsule: Capsule
  try {
    capsule = await openCapsule(source, { publishers })
  } catch (error) {
    return { open: codeOf(error) }
  }
  outcome.tree = await codeFrom(() => capsule.verifyTree())
  let keys: CapsuleKeys | undefined
  outcome.key = await codeFrom(() => {
    keys = CapsuleKeys.derive(Secret.fromBytes('content-key', contentKey), capsule.header)
  })
  if (keys === undefined) return outcome
  const pages: Uint8Array[] = []
  outcome.pages = await openAll(capsule, keys, pages, outcome)
  const plaintext = concatBytes(...pages)
  outcome.released = { sha256: toHex(sha256(plaintext)), sizeBytes: plaintext.length }
  if (outcome.pages !== 'ok') return outcome
  const programBlob = plaintext.subarray(0, capsule.header.blobs.program.paddedSizeBytes)
  outcome.program = await codeFrom(() => {
    decodeProgramBlob(programBlob, capsule.header)
  })
  return outcome
}

async function openAll(
  capsule: Capsule,
  keys: CapsuleKeys,
  pages: Uint8Array[],
  outcome: Outcome,
): Promise<string> {
  for (const blob of blobNames) {
    const { pageCount, pageSizeBytes } = capsule.header.blobs[blob]
    for (let index = 0; index < pageCount; index++) {
      const sealed = await capsule.readPage(blob, index)
      const destination = new Uint8Array(pageSizeBytes).fill(guardByte)
      const code = await codeFrom(async () => {
        await keys.openPageInto(destination, sealed, blob, index)
      })
      if (code !== 'ok') {
        if (!destination.every((byte) => byte === guardByte))
          throw new Error('unauthenticated plaintext was released')
        outcome.failsAt = { blob, index }
        return code
      }
      pages.push(destination)
    }
  }
  return 'ok'
}

async function codeFrom(step: () => void | Promise<void>): Promise<string> {
  try {
    await step()
    return 'ok'
  } catch (error) {
    return codeOf(error)
  }
}

/** Anything but a coded error is a fault of ours, and ends the run. */
export function codeOf(error: unknown): string {
  if (!isMlCapsuleError(error)) throw error
  return error.code
}
