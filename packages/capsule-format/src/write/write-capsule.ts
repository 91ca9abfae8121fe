// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, releaseMemory } from '@mlcapsule/contracts'
import { type AeadProvider, assertKeyPair, cryptoReady, randomBytes, Secret, wipe } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import { encodeHeader, encodePrefix, parseHeader, prefixSizeBytes } from '../header/header.ts'
import type { CapsuleHeader } from '../header/types.ts'
import { CapsuleKeys } from '../keys/capsule-keys.ts'
import { type BlobName, blobNames, sealedBlobSizeBytes, sealedPageSizeBytes } from '../layout/geometry.ts'
import { createTreeHasher, leafHash, leafScratch } from '../layout/tree.ts'
import type { CapsuleSink } from '../sink/sink.ts'
import type { WriteCapsuleOptions } from './options.ts'
import { pageBuffers, pagesInFlight, paginate } from './pages.ts'
import { planCapsule, type WritePlan } from './plan.ts'

export interface PackResult {
  /** Opens this packing and no other. The provider keeps it; whoever has it can read the model. */
  readonly contentKey: Secret<'content-key'>
  readonly capsuleId: Uint8Array
  readonly header: CapsuleHeader
  readonly headerHash: Uint8Array
  /** Size of the whole file. */
  readonly sizeBytes: number
}

const emptyHash = new Uint8Array(32)

/**
 * Packs a model: seals program and weights under a content key drawn here, and signs the header. Streams, holding a few
 * pages at a time. After a failure the sink is aborted and the key is gone: a packing is never resumed.
 * @throws CapsuleFormatError `CAPSULE_OPTIONS_INVALID`, `CAPSULE_INPUT_SIZE_MISMATCH`, `CAPSULE_WRITE_FAILED`; CryptoError
 * `KEY_INVALID` if the publisher's keys do not belong together
 */
export async function writeCapsule(sink: CapsuleSink, options: WriteCapsuleOptions): Promise<PackResult> {
  let contentKey: Secret<'content-key'> | undefined
  try {
    await cryptoReady()
    assertKeyPair(options.publisher)
    const random = options.random ?? randomBytes
    const keyBytes = random(32)
    contentKey = Secret.fromBytes('content-key', keyBytes)
    wipe(keyBytes)
    const plan = planCapsule(options, random(32))
    return await writePlanned(sink, options, plan, contentKey)
  } catch (error) {
    if (contentKey !== undefined) wipe(contentKey)
    // What went wrong first is what the caller hears of.
    await sink.abort().catch(() => undefined)
    if (isMlCapsuleError(error)) throw error
    throw new CapsuleFormatError('CAPSULE_WRITE_FAILED', 'the capsule could not be written', { cause: error })
  }
}

async function writePlanned(
  sink: CapsuleSink,
  options: WriteCapsuleOptions,
  plan: WritePlan,
  contentKey: Secret<'content-key'>,
): Promise<PackResult> {
  const keys = CapsuleKeys.deriveUnchecked(contentKey, plan)
  try {
    // The root has a fixed size, so the header's length is known before its contents are.
    const headerSizeBytes = encodeHeader(plan.coreBytes, keys.commit, emptyHash).length
    const pagesSizeBytes = sealedBlobSizeBytes(plan.blobs.program) + sealedBlobSizeBytes(plan.blobs.weights)
    const sizeBytes = prefixSizeBytes(headerSizeBytes) + pagesSizeBytes
    const root = await writePages(sink, options, plan, keys, prefixSizeBytes(headerSizeBytes), sizeBytes)
    const prefix = encodePrefix(encodeHeader(plan.coreBytes, keys.commit, root), options.publisher)
    // Read back: what this returns is what a reader will see.
    const parsed = parseHeader(prefix, { publishers: [options.publisher.publicKey] })
    await sink.write(0, prefix)
    await sink.commit()
    return {
      contentKey,
      capsuleId: plan.capsuleId,
      header: parsed.header,
      headerHash: parsed.headerHash,
      sizeBytes,
    }
  } finally {
    keys.wipe()
    plan.programBlob.fill(0)
  }
}

interface SealedPage {
  readonly sealed: Uint8Array
  readonly leaf: Uint8Array
}

/** @returns root of the tree */
async function writePages(
  sink: CapsuleSink,
  options: WriteCapsuleOptions,
  plan: WritePlan,
  keys: CapsuleKeys,
  startBytes: number,
  totalBytes: number,
): Promise<Uint8Array> {
  const tree = createTreeHasher()
  const queue: Promise<SealedPage>[] = []
  let offsetBytes = startBytes
  const writeOldest = async (): Promise<void> => {
    const { sealed, leaf } = await (queue.shift() as Promise<SealedPage>)
    tree.add(leaf)
    await sink.write(offsetBytes, sealed)
    offsetBytes += sealed.length
    releaseMemory(sealed)
    options.onProgress?.({ doneBytes: offsetBytes, totalBytes })
  }
  for (const blob of blobNames) {
    const layout = plan.blobs[blob]
    const buffers = pageBuffers(layout)
    const scratches = buffers.map(() => leafScratch(sealedPageSizeBytes(layout)))
    try {
      let index = 0
      for await (const page of pagesOf(options, plan, blob, buffers)) {
        const scratch = scratches[index % scratches.length] as Uint8Array
        const work = sealAndHash(keys, page, blob, index++, scratch, options.aead)
        // Awaited in turn; should an earlier page fail, nobody is left to await this one.
        work.catch(() => undefined)
        queue.push(work)
        if (queue.length === pagesInFlight) await writeOldest()
      }
      while (queue.length > 0) await writeOldest()
    } finally {
      for (const buffer of buffers) wipe(buffer)
    }
  }
  return tree.root()
}

function pagesOf(
  options: WriteCapsuleOptions,
  plan: WritePlan,
  blob: BlobName,
  buffers: readonly Uint8Array[],
): AsyncGenerator<Uint8Array> {
  const layout = plan.blobs[blob]
  if (blob === 'program') return paginate([plan.programBlob], plan.programBlob.length, layout, buffers)
  const { chunks, sizeBytes } = options.weights
  return paginate(typeof chunks === 'function' ? chunks() : chunks, sizeBytes, layout, buffers)
}

async function sealAndHash(
  keys: CapsuleKeys,
  page: Uint8Array,
  blob: BlobName,
  index: number,
  scratch: Uint8Array,
  aead: AeadProvider | undefined,
): Promise<SealedPage> {
  const sealed = await keys.sealPage(page, blob, index, aead)
  return { sealed, leaf: await leafHash(blob, index, sealed, scratch) }
}
