// SPDX-License-Identifier: Apache-2.0
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePolicy, signReference } from '@mlcapsule/attestation'
import { cryptoReady, generateSigningKeyPair, keyThumbprint } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import { beforeAll, expect, test } from 'vitest'
import { devPolicy } from '../../test-support/packed-store.ts'
import { tempDir } from '../../test-support/temp-dir.ts'
import { referenceStore } from './reference-store.ts'

const value = {
  release: 'runtime-1.0.0',
  platform: 'tdx',
  measurement: { mrTd: 'ab'.repeat(48) },
  manifest: 'cd'.repeat(48),
}
const pair = (fill: number) => generateSigningKeyPair(new Uint8Array(32).fill(fill))

beforeAll(cryptoReady)

test('keeps tokens, each once, and gives those by signers whom a policy names', async () => {
  const dir = join(tempDir(), 'references')
  const store = referenceStore(dir)
  expect(await store.tokens()).toEqual([])
  const [mine, other] = await Promise.all([1, 2].map((it) => signReference({ signer: pair(it), ...value })))
  if (mine === undefined || other === undefined) throw new Error('two tokens were signed')
  const signer = keyThumbprint(pair(1).publicKey)
  expect(await store.add(mine)).toEqual({ ...value, signer })
  await store.add(other)
  await store.add(mine)
  expect(new Set(await referenceStore(dir).tokens())).toEqual(new Set([mine, other]))
  expect(readdirSync(dir)).toHaveLength(2)
  const trusted = (referenceSigners: readonly string[]) =>
    store.trustedBy(parsePolicy({ ...devPolicy, referenceSigners }))
  expect(await trusted([])).toEqual([])
  expect(await trusted([signer])).toEqual([{ ...value, signer }])
})

test('takes nothing that is not whole, and what is damaged later does not count', async () => {
  const dir = join(tempDir(), 'references')
  const store = referenceStore(dir)
  const token = await signReference({ signer: pair(1), ...value })
  const changed = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BA' : 'AA'}`
  expect(await codeOf(() => store.add(changed))).toBe('JWS_SIGNATURE_INVALID')
  expect(await codeOf(() => store.add('a.b.c'))).toBe('JWS_MALFORMED')
  expect(await store.tokens()).toEqual([])
  await store.add(token)
  const [file = ''] = readdirSync(dir)
  writeFileSync(join(dir, file), `${changed}\n`)
  const policy = parsePolicy({ ...devPolicy, referenceSigners: [keyThumbprint(pair(1).publicKey)] })
  expect(await store.trustedBy(policy)).toEqual([])
})
