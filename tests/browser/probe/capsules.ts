// SPDX-License-Identifier: Apache-2.0
import {
  blobNames,
  blobSource,
  type Capsule,
  CapsuleKeys,
  decodeProgramBlob,
  httpRangeSource,
  memoryCapsuleSink,
  openCapsule,
  type ProgramBlob,
  type RandomAccessSource,
  writeCapsule,
} from '@mlcapsule/capsule-format'
import {
  concatBytes,
  fromHex,
  generateSigningKeyPair,
  keyThumbprint,
  Secret,
  sha256,
  toHex,
  uint32Bytes,
} from '@mlcapsule/crypto'
import { codeFrom } from './code.ts'
import { capsulePath, type Given, type GivenCapsule } from './given.ts'

/** What came of each step; the members and codes of vectors/capsule. */
export interface CapsuleFindings {
  readonly open: string
  readonly tree?: string
  readonly key?: string
  readonly pages?: string
  readonly failsAt?: { readonly blob: string; readonly index: number }
  readonly program?: string
  readonly released?: { readonly sha256: string; readonly sizeBytes: number }
}

/** The plaintext of a capsule. */
export interface OpenedModel extends ProgramBlob {
  /** With the padding after them. */
  readonly weights: Uint8Array
}

const sources = {
  blob: async (url: string): Promise<RandomAccessSource> => blobSource(await (await fetch(url)).blob()),
  ranges: (url: string): Promise<RandomAccessSource> => httpRangeSource(url, { attemptCount: 1 }),
}

export async function probeCapsules(given: Given): Promise<Record<string, CapsuleFindings>> {
  const found: Record<string, CapsuleFindings> = {}
  for (const capsule of given.capsules) {
    for (const kind of capsule.sources) {
      found[`${capsule.name} from ${kind}`] = await inspect(capsule, () =>
        sources[kind](given.origin + capsulePath(capsule.name)),
      )
    }
  }
  return found
}

async function inspect(
  given: GivenCapsule,
  openSource: () => Promise<RandomAccessSource>,
): Promise<CapsuleFindings> {
  let capsule: Capsule | undefined
  const open = await codeFrom(async () => {
    capsule = await openCapsule(await openSource(), { publishers: given.publishers.map(fromHex) })
  })
  if (capsule === undefined) return { open }
  const { header } = capsule
  const tree = await codeFrom(() => capsule?.verifyTree())
  let keys: CapsuleKeys | undefined
  const key = await codeFrom(() => {
    keys = CapsuleKeys.derive(Secret.fromBytes('content-key', fromHex(given.contentKey)), header)
  })
  if (keys === undefined) return { open, tree, key }
  const opened: Uint8Array[] = []
  const pages = await codeFrom(() => openPages(capsule as Capsule, keys as CapsuleKeys, opened))
  const plaintext = concatBytes(...opened)
  const released = { sha256: toHex(sha256(plaintext)), sizeBytes: plaintext.length }
  const programCount = header.blobs.program.pageCount
  if (pages !== 'ok') {
    const inProgram = opened.length < programCount
    const failsAt = inProgram
      ? { blob: 'program', index: opened.length }
      : { blob: 'weights', index: opened.length - programCount }
    return { open, tree, key, pages, failsAt, released }
  }
  const programSizeBytes = header.blobs.program.paddedSizeBytes
  const program = await codeFrom(() => decodeProgramBlob(plaintext.subarray(0, programSizeBytes), header))
  return { open, tree, key, pages, released, program }
}

async function openPages(capsule: Capsule, keys: CapsuleKeys, opened: Uint8Array[]): Promise<void> {
  for (const blob of blobNames) {
    const { pageCount, pageSizeBytes } = capsule.header.blobs[blob]
    for (let index = 0; index < pageCount; index++) {
      const page = new Uint8Array(pageSizeBytes)
      await keys.openPageInto(page, await capsule.readPage(blob, index), blob, index)
      opened.push(page)
    }
  }
}

/** Opens a capsule over ranges, as the enclave of a browser would. */
export async function openModel(given: Given, name: string): Promise<OpenedModel> {
  const it = given.capsules.find((capsule) => capsule.name === name) as GivenCapsule
  const source = await httpRangeSource(given.origin + capsulePath(name))
  const capsule = await openCapsule(source, { publishers: it.publishers.map(fromHex) })
  const keys = CapsuleKeys.derive(Secret.fromBytes('content-key', fromHex(it.contentKey)), capsule.header)
  const opened: Uint8Array[] = []
  await openPages(capsule, keys, opened)
  keys.wipe()
  const { pageCount } = capsule.header.blobs.program
  const programBlob = decodeProgramBlob(concatBytes(...opened.slice(0, pageCount)), capsule.header)
  return { ...programBlob, weights: concatBytes(...opened.slice(pageCount)) }
}

/** Packs with keys and randomness that repeat: the same bytes wherever it runs. */
export async function probePacking(given: Given): Promise<{ sha256: string; sizeBytes: number }> {
  const sink = memoryCapsuleSink()
  const publisher = generateSigningKeyPair(fromHex(given.crypto.signingSeed))
  const authority = generateSigningKeyPair(fromHex(given.crypto.pageKey))
  const weights = new Uint8Array(10_000).fill(7)
  let call = 0
  await writeCapsule(sink, {
    core: {
      modelName: 'Browser test',
      modelVersion: 1,
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 4] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 2] }],
      minimumTier: 'none',
      authority: [keyThumbprint(authority.publicKey)],
    },
    publisher,
    program: Uint8Array.of(1, 2, 3),
    weights: { sizeBytes: weights.length, chunks: [weights] },
    pageSizeBytes: 4_096,
    random: (sizeBytes) => sha256(uint32Bytes(call++)).subarray(0, sizeBytes),
  })
  const bytes = sink.bytes()
  return { sha256: toHex(sha256(bytes)), sizeBytes: bytes.length }
}
