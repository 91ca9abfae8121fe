// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { pack, publisher, seededBytes } from '../../test/fixtures.ts'
import { memorySource, openCapsule, parseHeader } from '../index.ts'

describe('a capsule in a Node buffer', () => {
  test('what a memory source gave out does not change with the buffer', async () => {
    const buffer = Buffer.from([1, 2, 3, 4])
    const bytes = await memorySource(buffer).read(1, 2)
    buffer.fill(9)
    expect([...bytes]).toEqual([2, 3])
  })

  test('what was verified stays what is used', async () => {
    const packed = await pack(seededBytes('program', 100), new Uint8Array(10))
    const capsule = await openCapsule(memorySource(packed.bytes), { publishers: [publisher.publicKey] })
    const prefix = Buffer.from(capsule.prefix)
    const parsed = parseHeader(prefix, { publishers: [publisher.publicKey] })
    prefix.fill(0)
    expect(parsed.headerBytes).toEqual(capsule.headerBytes)
    expect(parsed.signature).toEqual(capsule.signature)
    expect(parsed.header.capsuleId).toEqual(packed.capsuleId)
    expect(parsed.header.publisher.publicKey).toEqual(publisher.publicKey)
  })
})
