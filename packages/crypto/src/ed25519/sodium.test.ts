// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest'
import { cryptoReady } from './sodium.ts'

const { library } = vi.hoisted(() => ({ library: { ready: Promise.resolve() } }))
vi.mock('libsodium-wrappers', () => ({ default: library }))
afterEach(() => vi.unstubAllGlobals())

const unavailable = expect.objectContaining({ code: 'CRYPTO_UNAVAILABLE', kind: 'environment' })

test('a library that does not start is a coded error, with the reason as its cause', async () => {
  const cause = new Error('WebAssembly is forbidden here')
  library.ready = Promise.reject(cause)
  await expect(cryptoReady()).rejects.toThrow(unavailable)
  await expect(cryptoReady()).rejects.toMatchObject({ cause })
})

test('a page that is no secure context has no WebCrypto, and is told so', async () => {
  library.ready = Promise.resolve()
  vi.stubGlobal('crypto', { getRandomValues: () => undefined })
  await expect(cryptoReady()).rejects.toThrow(unavailable)
})
