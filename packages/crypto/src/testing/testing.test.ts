// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toBase64Url, utf8Bytes } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import {
  codeOf,
  loadVectors,
  payloadOf,
  readVectorFiles,
  seeded,
  seededRandom,
  vectorFiles,
  writeVectorFiles,
} from './index.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vectors-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('vectors are read as they were written, and old ones of the same folders are gone', () => {
  const good = { clause: '1', reason: 'It is right.', expected: 'ok' }
  const files = vectorFiles('a', { 'b-good': good, 'a-good': { ...good, clause: '2' } })
  for (const folder of ['a', 'other']) {
    mkdirSync(join(root, folder))
    writeFileSync(join(root, folder, 'old.json'), '{}')
  }
  writeVectorFiles(root, files)
  expect(readdirSync(join(root, 'other'))).toEqual(['old.json'])
  expect(loadVectors(join(root, 'a'))).toEqual([
    ['a-good.json', { ...good, clause: '2' }],
    ['b-good.json', good],
  ])
  expect(readVectorFiles(root)).toEqual(new Map([...files, ['other/old.json', '{}']]))
})

test('a refusal gives its code, a fault goes through', async () => {
  expect(await codeOf(() => 1)).toBe('ok')
  expect(await codeOf(() => Promise.reject(new CryptoError('KEY_WIPED', 'x')))).toBe('KEY_WIPED')
  await expect(codeOf(() => Promise.reject(new RangeError('x')))).rejects.toThrow(RangeError)
})

test('a payload is read as it is', () => {
  expect(payloadOf(`x.${toBase64Url(utf8Bytes('{"n":"ü"}'))}.y`)).toEqual({ n: 'ü' })
})

test('seeded bytes depend on their name alone', () => {
  expect(seeded('a')).toEqual(seeded('a'))
  expect(seeded('a')).not.toEqual(seeded('b'))
  const [one, other] = [seededRandom('a'), seededRandom('a')]
  const drawn = [one(40), one(32)]
  expect(drawn).toEqual([other(40), other(32)])
  expect(drawn[0]?.subarray(0, 32)).not.toEqual(drawn[1])
})
