// SPDX-License-Identifier: Apache-2.0
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  cryptoReady,
  expose,
  generateSigningKeyPair,
  keyThumbprint,
  publicKeyToJwk,
  Secret,
  signingKeyPairFrom,
  toBase64Url,
} from '@mlcapsule/crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { tempDir } from '../../test-support/temp-dir.ts'
import { openProvider } from '../service/provider.ts'
import { storePaths } from '../store/paths.ts'
import { defenseSeedFor, openContentKey, sealContentKey, stateKeyFor } from './at-rest.ts'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import { makeKeys } from './keygen.ts'
import { readPublicKey } from './public-key.ts'

const code = (name: string) => expect.objectContaining({ code: name })

beforeAll(() => cryptoReady())

describe('keygen', () => {
  test('makes three keys that others cannot read, and two public ones that belong to them', async () => {
    const storeDir = join(tempDir(), 'store')
    const made = await makeKeys(storeDir)
    const paths = storePaths(storeDir)
    for (const purpose of ['publisher', 'authority', 'service'] as const) {
      expect(statSync(paths.privateKey(purpose)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(storeDir).mode & 0o777).toBe(0o700)
    for (const purpose of ['publisher', 'authority'] as const) {
      const pair = signingKeyPairFrom(await readKeyFile(paths.privateKey(purpose), purpose))
      expect(await readPublicKey(paths.publicKey(purpose))).toEqual(pair.publicKey)
      expect(made[purpose].thumbprint).toBe(keyThumbprint(pair.publicKey))
    }
    expect(made.publisher.thumbprint).not.toBe(made.authority.thumbprint)
  })

  test('never overwrites, and then leaves everything as it was', async () => {
    const storeDir = join(tempDir(), 'store')
    await makeKeys(storeDir)
    const path = storePaths(storeDir).privateKey('publisher')
    const before = readFileSync(path)
    await expect(makeKeys(storeDir)).rejects.toThrow(code('PROVIDER_KEY_FILE_EXISTS'))
    expect(readFileSync(path)).toEqual(before)
  })
})

test.skipIf(process.platform === 'win32')(
  'a folder that others can enter gets no keys, and its store is not opened (not on Windows: it has no modes)',
  async () => {
    const storeDir = tempDir()
    chmodSync(storeDir, 0o755)
    await expect(makeKeys(storeDir)).rejects.toThrow(code('PROVIDER_STORE_EXPOSED'))
    expect(readdirSync(storeDir)).toEqual([])
    chmodSync(storeDir, 0o700)
    await makeKeys(storeDir)
    chmodSync(storeDir, 0o710)
    const opening = openProvider({ storeDir })
    await expect(opening).rejects.toThrow(code('PROVIDER_STORE_EXPOSED'))
  },
)

describe('key files', () => {
  async function written(): Promise<string> {
    const path = join(tempDir(), 'x.key')
    await writeKeyFile(path, 'publisher', Secret.fromBytes('ed25519-private', new Uint8Array(32).fill(7)))
    return path
  }

  test('give back the key, for its own purpose only', async () => {
    const path = await written()
    expect(expose(await readKeyFile(path, 'publisher'), 'ed25519-private')).toEqual(
      new Uint8Array(32).fill(7),
    )
    await expect(readKeyFile(path, 'authority')).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
    await expect(readKeyFile(path, 'service')).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
  })

  test.skipIf(process.platform === 'win32')(
    'are refused when others can read them (not on Windows: it has no modes)',
    async () => {
      const path = await written()
      chmodSync(path, 0o640)
      await expect(readKeyFile(path, 'publisher')).rejects.toThrow(code('PROVIDER_KEY_FILE_EXPOSED'))
    },
  )

  test('are refused when any byte is changed, cut off or added', async () => {
    const path = await written()
    const good = readFileSync(path)
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bad = Buffer.from(good)
        bad[at] = (bad[at] ?? 0) ^ flip
        writeFileSync(path, bad)
        await expect(readKeyFile(path, 'publisher')).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
      }),
    )
    for (const bad of [
      good.subarray(1),
      good.subarray(0, -1),
      Buffer.concat([good, good]),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path, bad)
      await expect(readKeyFile(path, 'publisher')).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
    }
  })

  test('a file that is not there is named', async () => {
    await expect(readKeyFile(join(tempDir(), 'none'), 'publisher')).rejects.toThrow(
      code('PROVIDER_FILE_UNREADABLE'),
    )
  })
})

describe('public keys', () => {
  test('are a JSON Web Key in a file, or stand alone', async () => {
    const { publicKey } = generateSigningKeyPair()
    const path = join(tempDir(), 'key.jwk')
    writeFileSync(path, publicKeyToJwk(publicKey))
    expect(await readPublicKey(path)).toEqual(publicKey)
    expect(await readPublicKey(toBase64Url(publicKey))).toEqual(publicKey)
  })

  test('that are none are refused', async () => {
    const path = join(tempDir(), 'key.jwk')
    writeFileSync(path, '{"kty":"OKP"}')
    await expect(readPublicKey(path)).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
    await expect(readPublicKey(`${'A'.repeat(42)}B`)).rejects.toThrow(code('PROVIDER_KEY_FILE_INVALID'))
  })
})

describe('secrets at rest', () => {
  const serviceKey = Secret.fromBytes('prk', new Uint8Array(32).fill(1))
  const otherKey = Secret.fromBytes('prk', new Uint8Array(32).fill(2))
  const capsuleId: Uint8Array = new Uint8Array(32).fill(3)
  const contentKey = Secret.fromBytes('content-key', new Uint8Array(32).fill(4))

  test('a content key opens with its service key and for its capsule alone', async () => {
    const sealed = await sealContentKey(serviceKey, capsuleId, contentKey)
    expect(Buffer.from(sealed).includes(Buffer.alloc(32, 4))).toBe(false)
    expect(expose(await openContentKey(serviceKey, capsuleId, sealed), 'content-key')).toEqual(
      new Uint8Array(32).fill(4),
    )
    const failed = code('SEAL_OPEN_FAILED')
    await expect(openContentKey(otherKey, capsuleId, sealed)).rejects.toThrow(failed)
    await expect(openContentKey(serviceKey, new Uint8Array(32), sealed)).rejects.toThrow(failed)
    await expect(openContentKey(serviceKey, capsuleId, sealed.slice(0, 20))).rejects.toThrow(failed)
    sealed[20] = (sealed[20] ?? 0) ^ 1
    await expect(openContentKey(serviceKey, capsuleId, sealed)).rejects.toThrow(failed)
  })

  test('a defense seed is the same for one customer and model, and another for any other', () => {
    const [a, b] = [generateSigningKeyPair().publicKey, generateSigningKeyPair().publicKey]
    const seed = (customer: Uint8Array, model: string) =>
      toBase64Url(expose(defenseSeedFor(serviceKey, customer, model), 'defense-seed'))
    expect(seed(a, 'm')).toBe(seed(a, 'm'))
    expect(new Set([seed(a, 'm'), seed(b, 'm'), seed(a, 'n')]).size).toBe(3)
  })

  test('a state key belongs to one enclave', () => {
    const key = (identity: Uint8Array) => toBase64Url(expose(stateKeyFor(serviceKey, identity), 'state-key'))
    expect(key(new Uint8Array(32))).toBe(key(new Uint8Array(32)))
    expect(key(new Uint8Array(32))).not.toBe(key(new Uint8Array(32).fill(1)))
  })
})
