// SPDX-License-Identifier: Apache-2.0
import { decodeCbor, encodeCbor, toHex } from '@mlcapsule/crypto'
import { expect, test } from 'vitest'
import { buildParts, programPlaintext } from '../test/vectors/build.ts'
import { loadBases } from '../test/vectors/load.ts'
import { codeOf } from '../test/vectors/run.ts'
import { encodeCore } from './header/core.ts'
import { decodeHeader, encodeHeader } from './header/header.ts'
import { type CapsuleHeader, memorySource, openCapsule, parseHeader } from './index.ts'
import { decodeProgramBlob, encodeProgramBlob } from './program/program-blob.ts'

const slow = process.env.SLOW === '1'
const seed = Number(process.env.FUZZ_SEED ?? 20_260_101)

/** Mulberry32: small, and the same in every run. */
function randomSource(state: number): (below: number) => number {
  let current = state
  return (below) => {
    current = (current + 0x6d2b79f5) | 0
    let mixed = Math.imul(current ^ (current >>> 15), 1 | current)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const telling = [
  0x00, 0x01, 0x17, 0x18, 0x1b, 0x40, 0x58, 0x5f, 0x60, 0x80, 0x9b, 0x9f, 0xa0, 0xbf, 0xc0, 0xf6, 0xf9, 0xff,
]

/** One to four changes: bytes replaced, removed, added, copied, or cut off. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let result = bytes
  for (let change = random(4); change >= 0; change--) {
    const at = random(result.length + 1)
    const count = 1 + random(random(8) === 0 ? 64 : 3)
    const before = result.subarray(0, at)
    const after = result.subarray(at)
    const made = Uint8Array.from({ length: count }, () =>
      random(2) === 0 ? random(256) : (telling[random(telling.length)] as number),
    )
    const choice = random(6)
    if (choice <= 1) result = Uint8Array.from([...before, ...made, ...after.subarray(count)])
    else if (choice === 2) result = Uint8Array.from([...before, ...after.subarray(count)])
    else if (choice === 3) result = Uint8Array.from([...before, ...made, ...after])
    else if (choice === 4)
      result = Uint8Array.from([...before, ...result.subarray(random(at + 1), at), ...after])
    else if (random(10) === 0) result = before
  }
  return result
}

function reencode(header: CapsuleHeader): string {
  const coreBytes = encodeCore({ ...header, publisherKey: header.publisher.publicKey })
  return toHex(encodeHeader(coreBytes, header.commit, header.root))
}

const bases = loadBases()
const prefixes = [...bases.values()].map((bytes) =>
  bytes.slice(0, 12 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8) + 64),
)

test(`changed headers: a coded error, or a header that writes back to the same bytes (seed ${seed})`, () => {
  const random = randomSource(seed)
  const headers = prefixes.map((prefix) => prefix.subarray(12, -64))
  let accepted = 0
  for (let run = 0; run < (slow ? 700_000 : 3_000); run++) {
    const base = headers[random(headers.length)] as Uint8Array
    const core = decodeCbor(base, { maxSizeBytes: base.length }) as Map<number, Uint8Array>
    // Half of the changes are made within the core, which the outer map would otherwise hide.
    const bytes =
      random(2) === 0
        ? mutate(base, random)
        : encodeCbor(new Map(core).set(1, mutate(core.get(1) as Uint8Array, random)))
    let header: CapsuleHeader
    try {
      header = decodeHeader(bytes)
    } catch (error) {
      expect(codeOf(error)).toMatch(
        /^CAPSULE_(HEADER_(MALFORMED|INVALID)|VERSION_UNSUPPORTED|SUITE_UNSUPPORTED)$/,
      )
      continue
    }
    accepted++
    expect(reencode(header)).toBe(toHex(bytes))
  }
  // Changes within names, ids and hashes leave a header well-formed: the branch above is really taken.
  expect(accepted).toBeGreaterThan(0)
})

test(`changed prefixes: a coded error, for the signature covers every byte (seed ${seed})`, () => {
  const random = randomSource(seed + 1)
  for (let run = 0; run < (slow ? 200_000 : 1_500); run++) {
    const base = prefixes[random(prefixes.length)] as Uint8Array
    const bytes = mutate(base, random)
    if (toHex(bytes) === toHex(base)) continue
    try {
      parseHeader(bytes, { publishers: 'any-unverified-publisher' })
    } catch (error) {
      expect(codeOf(error)).toMatch(/^CAPSULE_/)
      continue
    }
    expect.fail(`accepted ${toHex(bytes)}`)
  }
})

test(`changed files: a coded error (seed ${seed})`, async () => {
  const random = randomSource(seed + 2)
  const files = [...bases.values()]
  for (let run = 0; run < (slow ? 5_000 : 100); run++) {
    const base = files[random(files.length)] as Uint8Array
    const bytes = mutate(base, random)
    if (bytes.length === base.length && bytes.every((byte, i) => byte === base[i])) continue
    try {
      const capsule = await openCapsule(memorySource(bytes), { publishers: 'any-unverified-publisher' })
      await capsule.verifyTree()
    } catch (error) {
      expect(codeOf(error)).toMatch(/^CAPSULE_/)
      continue
    }
    expect.fail('accepted a changed file')
  }
})

test(`changed program blobs: a coded error, or a document that writes back to the same bytes (seed ${seed})`, async () => {
  const random = randomSource(seed + 3)
  const header = decodeHeader(
    encodeHeader((await buildParts()).coreBytes, new Uint8Array(32), new Uint8Array(32)),
  )
  const plaintext = programPlaintext()
  const usedBytes = 16 + Number(new DataView(plaintext.buffer).getBigUint64(0))
  let accepted = 0
  for (let run = 0; run < (slow ? 100_000 : 400); run++) {
    const bytes = new Uint8Array(plaintext.length)
    bytes.set(mutate(plaintext.subarray(0, usedBytes), random))
    try {
      const blob = decodeProgramBlob(bytes, header)
      accepted++
      const again = new Uint8Array(plaintext.length)
      again.set(encodeProgramBlob(blob))
      expect(toHex(again)).toBe(toHex(bytes))
    } catch (error) {
      expect(codeOf(error)).toBe('CAPSULE_PROGRAM_MALFORMED')
    }
  }
  expect(accepted).toBeGreaterThan(0)
})
