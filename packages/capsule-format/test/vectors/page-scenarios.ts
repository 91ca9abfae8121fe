// SPDX-License-Identifier: Apache-2.0
import { concatBytes, encodeCbor, sha256, toHex, uint64Bytes } from '@mlcapsule/crypto'
import { encodeProgramBlob } from '../../src/program/program-blob.ts'
import { seededBytes, smallPageSizeBytes } from '../fixtures.ts'
import {
  assembleParts,
  buildParts,
  coreMap,
  type Parts,
  program,
  programPlaintext,
  weights,
} from './build.ts'
import type { Scenario } from './scenario.ts'

const programPageCount = 16
const pageCount = 19

/** Plaintext of the base vector, page by page. */
function plaintextPages(count: number): Uint8Array {
  const all = new Uint8Array(pageCount * smallPageSizeBytes)
  all.set(programPlaintext())
  all.set(weights, programPageCount * smallPageSizeBytes)
  return all.subarray(0, count * smallPageSizeBytes)
}

function released(count: number): { sha256: string; sizeBytes: number } {
  const plaintext = plaintextPages(count)
  return { sha256: toHex(sha256(plaintext)), sizeBytes: plaintext.length }
}

/**
 * Another version of the model, packed under the same content key: what a writer that reused a key would make, and so the
 * hardest case for telling pages apart.
 */
export function otherParts(): Promise<Parts> {
  return buildParts(encodeCbor(coreMap().set(6, 2)))
}

/** Ways to be wrong in the pages, the keys and what they open. The header is signed and well-formed in all of them. */
export async function pageScenarios(parts: Parts, other: Parts): Promise<Scenario[]> {
  const withPages = (change: (pages: Uint8Array[]) => void): Uint8Array => {
    const pages = [...parts.pages]
    change(pages)
    return assembleParts({ ...parts, pages })
  }
  const page = (index: number): Uint8Array => parts.pages[index] as Uint8Array
  const changed = (
    name: string,
    clause: string,
    firstBad: number,
    reason: string,
    bytes: Uint8Array,
  ): Scenario => ({
    name,
    clause,
    reason,
    bytes,
    expected: {
      open: 'ok',
      tree: 'CAPSULE_TREE_MISMATCH',
      key: 'ok',
      pages: 'SEAL_OPEN_FAILED',
      failsAt:
        firstBad < programPageCount
          ? { blob: 'program', index: firstBad }
          : { blob: 'weights', index: firstBad - programPageCount },
      released: released(firstBad),
    },
  })
  const flippedAt = (index: number, at: number): Uint8Array =>
    withPages((pages) => {
      const bytes = page(index).slice()
      bytes[at] = (bytes[at] as number) ^ 0x80
      pages[index] = bytes
    })
  const otherPage = (index: number): Uint8Array => other.pages[index] as Uint8Array
  const withProgram = async (plaintext: Uint8Array): Promise<Uint8Array> =>
    assembleParts(await buildParts(parts.coreBytes, plaintext))
  const badProgram = async (name: string, reason: string, plaintext: Uint8Array): Promise<Scenario> => ({
    name,
    clause: '9',
    reason,
    bytes: await withProgram(plaintext),
    expected: { open: 'ok', tree: 'ok', key: 'ok', pages: 'ok', program: 'CAPSULE_PROGRAM_MALFORMED' },
  })
  const edited = (change: (plaintext: Uint8Array) => void): Uint8Array => {
    const plaintext = programPlaintext()
    change(plaintext)
    return plaintext
  }
  const document = (value: unknown, weightsSizeBytes: number = weights.length): Uint8Array => {
    const bytes = encodeCbor(value, { allowFloats: true })
    return edited((plaintext) => {
      plaintext.fill(0)
      plaintext.set(concatBytes(uint64Bytes(bytes.length), uint64Bytes(weightsSizeBytes), bytes))
    })
  }
  const keyMismatch = (name: string, reason: string, bytes: Uint8Array, tree: string = 'ok'): Scenario => ({
    name,
    clause: '4.1',
    reason,
    bytes,
    expected: { open: 'ok', tree, key: 'CAPSULE_KEY_MISMATCH' },
  })

  return [
    changed(
      'pages-swapped',
      '4.2',
      16,
      'The first two pages of the weights have changed places.',
      withPages((pages) => {
        pages[16] = page(17)
        pages[17] = page(16)
      }),
    ),
    changed(
      'page-duplicated',
      '4.2',
      17,
      'The first page of the weights stands in place of the second.',
      withPages((pages) => {
        pages[17] = page(16)
      }),
    ),
    changed(
      'last-page-replaced',
      '4.2',
      18,
      'The last page is an earlier one.',
      withPages((pages) => {
        pages[18] = page(17)
      }),
    ),
    changed(
      'page-of-other-blob',
      '4.2',
      16,
      'A page of the program stands among the weights, at its own index.',
      withPages((pages) => {
        pages[16] = page(0)
      }),
    ),
    changed(
      'page-of-other-capsule',
      '4.2',
      17,
      'A page comes from another version of the model, from the same place.',
      withPages((pages) => {
        pages[17] = otherPage(17)
      }),
    ),
    changed('ciphertext-changed', '4.2', 17, 'One bit of a ciphertext differs.', flippedAt(17, 100)),
    changed(
      'tag-changed',
      '4.2',
      18,
      'One bit of the last tag differs.',
      flippedAt(18, smallPageSizeBytes + 15),
    ),
    changed(
      'first-page-changed',
      '4.2',
      0,
      'One bit of the very first page differs: nothing is released.',
      flippedAt(0, 0),
    ),
    changed(
      'page-zeroed',
      '4.2',
      5,
      'A page of the program is all zeros.',
      withPages((pages) => {
        pages[5] = new Uint8Array(smallPageSizeBytes + 16)
      }),
    ),
    {
      name: 'root-wrong',
      clause: '6',
      reason: 'The publisher signed a root that is not that of the pages. The pages themselves open.',
      bytes: assembleParts({ ...parts, root: seededBytes('vectors/wrong-root', 32) }),
      expected: {
        open: 'ok',
        tree: 'CAPSULE_TREE_MISMATCH',
        key: 'ok',
        pages: 'ok',
        released: released(pageCount),
        program: 'ok',
      },
    },
    {
      name: 'content-key-wrong',
      clause: '4.1',
      reason: 'The content key is that of another packing.',
      bytes: assembleParts(parts),
      contentKey: seededBytes('vectors/other-content-key', 32),
      expected: { open: 'ok', tree: 'ok', key: 'CAPSULE_KEY_MISMATCH' },
    },
    keyMismatch(
      'commit-wrong',
      'The header commits to another content key.',
      assembleParts({ ...parts, commit: seededBytes('vectors/commit', 32) }),
    ),
    keyMismatch(
      'core-changed',
      'The publisher signed another core over the same pages and commitment.',
      assembleParts({ ...parts, coreBytes: other.coreBytes }),
    ),
    keyMismatch(
      'pages-of-other-capsule',
      'Header of one packing, pages of another.',
      assembleParts({ ...other, commit: parts.commit }),
    ),
    await badProgram(
      'program-padding-not-zero',
      'The last byte of the padding is 1.',
      edited((plaintext) => {
        plaintext[65_535] = 1
      }),
    ),
    await badProgram(
      'program-length-overflow',
      'The document has 2^64 − 1 bytes.',
      edited((plaintext) => plaintext.fill(0xff, 0, 8)),
    ),
    await badProgram(
      'program-length-beyond-blob',
      'The document ends one byte after the blob.',
      edited((plaintext) => plaintext.set(uint64Bytes(65_521), 0)),
    ),
    await badProgram(
      'weights-length-overflow',
      'The weights have 2^64 − 1 bytes.',
      edited((plaintext) => plaintext.fill(0xff, 8, 16)),
    ),
    await badProgram(
      'weights-length-short',
      'Weights of one byte would take one page, not three.',
      edited((plaintext) => plaintext.set(uint64Bytes(1), 8)),
    ),
    await badProgram(
      'document-not-cbor',
      'The document is not CBOR.',
      edited((plaintext) => plaintext.fill(0xff, 16, 17)),
    ),
    await badProgram(
      'document-trailing-byte',
      'A byte follows the map within the document.',
      edited((plaintext) => {
        const length =
          encodeProgramBlob({ program, weightsSizeBytes: 0, defenses: [], answerPolicy: null }).length - 16
        plaintext.set(uint64Bytes(length + 1), 0)
      }),
    ),
    await badProgram(
      'document-unknown-key',
      'The document has a key 4.',
      document(
        new Map<number, unknown>([
          [1, program],
          [2, []],
          [3, null],
          [4, 0],
        ]),
      ),
    ),
    await badProgram(
      'document-text-key',
      'The third key of the document is the text "3".',
      document(
        new Map<unknown, unknown>([
          [1, program],
          [2, []],
          ['3', null],
        ]),
      ),
    ),
    await badProgram(
      'document-program-missing',
      'The program is null.',
      document(
        new Map<number, unknown>([
          [1, null],
          [2, []],
          [3, null],
        ]),
      ),
    ),
    await badProgram(
      'defense-name',
      'A defense is named by a path.',
      document(
        new Map<number, unknown>([
          [1, program],
          [2, [['../x', 1, null]]],
          [3, null],
        ]),
      ),
    ),
    await badProgram(
      'defense-version',
      'A defense has version 1.5.',
      document(
        new Map<number, unknown>([
          [1, program],
          [2, [['x', 1.5, null]]],
          [3, null],
        ]),
      ),
    ),
    await badProgram(
      'defense-twice',
      'A defense is listed twice.',
      document(
        new Map<number, unknown>([
          [1, program],
          [
            2,
            [
              ['x', 1, null],
              ['x', 1, null],
            ],
          ],
          [3, null],
        ]),
      ),
    ),
  ]
}

/** What must come out of the base vector. */
export function goodReleased(): { sha256: string; sizeBytes: number } {
  return released(pageCount)
}
