// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeParameters, readParameters, writeWhole } from './checkpoint.ts'
import { initialParameters } from './network.ts'

const folder = mkdtempSync(join(tmpdir(), 'digits-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('weights come back as they were written, and no other file is left', () => {
  const parameters = initialParameters(4)
  writeWhole(join(folder, 'kept', 'best.f32'), encodeParameters(parameters))
  expect(readParameters(join(folder, 'kept', 'best.f32'))).toEqual(parameters)
  expect(readdirSync(join(folder, 'kept'))).toEqual(['best.f32'])
})

test.each([
  ['of another size', (bytes: Uint8Array) => bytes.subarray(4)],
  ['with a value that is not a number', (bytes: Uint8Array) => bytes.fill(0xff, 0, 4)],
])('refuses a file %s', (_, spoil) => {
  const path = join(folder, 'spoiled.f32')
  writeWhole(path, spoil(encodeParameters(initialParameters(4))))
  expect(() => readParameters(path)).toThrowError(
    expect.objectContaining({ code: 'DIGITS_CHECKPOINT_MALFORMED' }),
  )
})
