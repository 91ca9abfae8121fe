// SPDX-License-Identifier: Apache-2.0
import { concatBytes, encodeCbor } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAttestationError } from '../../../test/errors.ts'
import { nitroChain, nitroDocument } from '../../../test/nitro.ts'
import { parseNitroDocument } from './index.ts'

const numRuns = process.env.SLOW === '1' ? 500_000 : 2_000

/** Whether it was read; stops at what is refused without a code. */
function reads(bytes: Uint8Array): boolean {
  try {
    parseNitroDocument(bytes)
    return true
  } catch (error) {
    if (!isAttestationError(error)) throw error
    return false
  }
}

test('changed documents are read or refused with a code', async () => {
  const bytes = await nitroDocument(await nitroChain())
  expect(reads(bytes)).toBe(true)
  const edit = fc.record({
    at: fc.nat(bytes.length),
    remove: fc.nat(9),
    insert: fc.uint8Array({ maxLength: 9 }),
  })
  const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
    let changed = bytes
    for (const { at, remove, insert } of edits) {
      changed = concatBytes(changed.subarray(0, at), insert, changed.subarray(at + remove))
    }
    reads(changed)
  })
  fc.assert(property, { numRuns })
})

test('any payload, and any bytes, are refused with a code', () => {
  const header = encodeCbor(new Map([[1, -35]]))
  const property = fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => {
    expect(reads(payload)).toBe(false)
    expect(reads(encodeCbor([header, new Map(), payload, new Uint8Array(96)]))).toBe(false)
  })
  fc.assert(property, { numRuns })
})
