// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Packed, pack, publisher, seededBytes, stranger } from '../../test/fixtures.ts'
import {
  type Capsule,
  CapsuleKeys,
  memorySource,
  openCapsule,
  parseHeader,
  type RandomAccessSource,
} from '../index.ts'

let packed: Packed
let capsule: Capsule
beforeAll(async () => {
  packed = await pack(seededBytes('p', 100), seededBytes('w', 20_000))
  capsule = await openCapsule(memorySource(packed.bytes), { publishers: [publisher.publicKey] })
})

const withCode = (code: string): unknown => expect.objectContaining({ code })

describe('openCapsule', () => {
  test('the publisher must be pinned, or plainly not', async () => {
    for (const publishers of [[], [stranger.publicKey]]) {
      await expect(openCapsule(memorySource(packed.bytes), { publishers })).rejects.toThrowError(
        withCode('CAPSULE_PUBLISHER_UNTRUSTED'),
      )
    }
    const publishers = [stranger.publicKey, publisher.publicKey]
    expect((await openCapsule(memorySource(packed.bytes), { publishers })).header).toEqual(packed.header)
    const looked = await openCapsule(memorySource(packed.bytes), { publishers: 'any-unverified-publisher' })
    expect(looked.header.publisher.publicKey).toEqual(publisher.publicKey)
  })

  test('the prefix is what parseHeader takes', () => {
    const parsed = parseHeader(capsule.prefix, { publishers: [publisher.publicKey] })
    expect(parsed.header).toEqual(capsule.header)
    expect(toHex(parsed.headerHash)).toBe(toHex(packed.headerHash))
    expect(parsed.prefixSizeBytes).toBe(capsule.prefix.length)
  })

  test('parseHeader takes the prefix alone', () => {
    const options = { publishers: [publisher.publicKey] }
    expect(() => parseHeader(packed.bytes, options)).toThrowError(withCode('CAPSULE_TRAILING_BYTES'))
    expect(() => parseHeader(capsule.prefix.subarray(0, -1), options)).toThrowError(
      withCode('CAPSULE_TRUNCATED'),
    )
  })

  test('what was parsed does not change with the bytes it came from', () => {
    const prefix = capsule.prefix.slice()
    const parsed = parseHeader(prefix, { publishers: [publisher.publicKey] })
    prefix.fill(0)
    expect(parsed.header).toEqual(capsule.header)
    expect(parsed.headerBytes.some((byte) => byte !== 0)).toBe(true)
  })

  test('a source that returns other sizes than asked for', async () => {
    const lying: RandomAccessSource = {
      sizeBytes: packed.bytes.length,
      read: (offsetBytes, sizeBytes) =>
        Promise.resolve(packed.bytes.slice(offsetBytes, offsetBytes + sizeBytes + 1)),
    }
    await expect(openCapsule(lying, { publishers: [publisher.publicKey] })).rejects.toThrowError(
      withCode('CAPSULE_SOURCE_FAILED'),
    )
  })

  test('closes its source', async () => {
    let closed = 0
    const source: RandomAccessSource = {
      ...memorySource(packed.bytes),
      close: () => {
        closed++
        return Promise.resolve()
      },
    }
    const opened = await openCapsule(source, { publishers: [publisher.publicKey] })
    await opened.close()
    expect(closed).toBe(1)
  })

  test('progress of verifyTree', async () => {
    const seen: number[] = []
    await capsule.verifyTree(({ doneBytes, totalBytes }) => {
      expect(totalBytes).toBe(packed.sizeBytes)
      seen.push(doneBytes)
    })
    expect(seen.at(-1)).toBe(packed.sizeBytes)
  })
})

describe('pages', () => {
  test('several at once are the single ones joined', async () => {
    const [one, two, both] = [
      await capsule.readPage('weights', 1),
      await capsule.readPage('weights', 2),
      await capsule.readPages('weights', 1, 2),
    ]
    expect(both).toEqual(Uint8Array.from([...one, ...two]))
  })

  test.each([
    [-1, 1],
    [5, 1],
    [0, 6],
    [0, 0],
    [0.5, 1],
    [Number.NaN, 1],
    [2 ** 53, 1],
  ])('no pages %d, %d', async (index, count) => {
    await expect(capsule.readPages('weights', index, count)).rejects.toThrowError(
      withCode('CAPSULE_PAGE_INVALID'),
    )
  })

  test('a page that is not whole, and a place that is not there', async () => {
    const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
    const sealed = await capsule.readPage('weights', 0)
    const destination = new Uint8Array(4_096)
    const attempts = [
      () => keys.openPageInto(destination, sealed.subarray(1), 'weights', 0),
      () => keys.openPageInto(destination, sealed, 'weights', 5),
      () => keys.openPageInto(destination, sealed, 'weights', -1),
    ]
    for (const attempt of attempts)
      await expect(attempt()).rejects.toThrowError(withCode('CAPSULE_PAGE_INVALID'))
    await expect(keys.openPageInto(destination.subarray(1), sealed, 'weights', 0)).rejects.toThrowError(
      withCode('SEAL_INPUT_INVALID'),
    )
    expect(destination).toEqual(new Uint8Array(4_096))
    expect(await keys.openPageInto(destination, sealed, 'weights', 0)).toBe(4_096)
  })

  test('nothing is sealed but whole pages at places that are there', async () => {
    const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
    const page = new Uint8Array(4_096)
    for (const attempt of [
      () => keys.sealPage(page.subarray(1), 'weights', 0),
      () => keys.sealPage(page, 'weights', 5),
      () => keys.sealPage(page, 'weights', -1),
    ]) {
      await expect(attempt()).rejects.toThrowError(withCode('CAPSULE_PAGE_INVALID'))
    }
  })

  test('wiped keys open nothing', async () => {
    const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
    keys.wipe()
    const sealed = await capsule.readPage('weights', 0)
    await expect(keys.openPageInto(new Uint8Array(4_096), sealed, 'weights', 0)).rejects.toThrowError(
      withCode('KEY_WIPED'),
    )
  })
})
