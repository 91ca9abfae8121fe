// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '@mlcapsule/crypto/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nowMs } from '../../test/world.ts'
import { verifyEvidence } from '../evidence/verifier.ts'
import { simulatedTrustStore, simulatedVerifier } from '../simulated/index.ts'
import { type CollateralCache, collateralCache } from './collateral-cache.ts'

let folder = ''
let dir = ''
let cache: CollateralCache
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlcapsule-collateral-'))
  dir = join(folder, 'cache')
  cache = collateralCache(dir)
})
afterEach(() => rm(folder, { recursive: true }))

const items = new Map([
  ['amd/crl/vcek/Milan', Uint8Array.of(1)],
  ['intel/root-crl', Uint8Array.of(2)],
])

describe('the cache of collateral', () => {
  test('is empty where nothing was stored, and makes nothing by being read', async () => {
    expect(await cache.loadAll()).toEqual(new Map())
    expect(await cache.load(['intel/root-crl'])).toEqual(new Map())
    expect(await cache.newestSeenMs()).toBe(0)
    expect(await readdir(folder)).toEqual([])
  })

  test('keeps items for the next process, and replaces those of the same name', async () => {
    await cache.store(items)
    await cache.store(new Map([['intel/root-crl', Uint8Array.of(3)]]))
    const again = collateralCache(dir)
    expect([...(await again.loadAll())]).toEqual([
      ['amd/crl/vcek/Milan', Uint8Array.of(1)],
      ['intel/root-crl', Uint8Array.of(3)],
    ])
    expect(await again.load(['intel/root-crl', 'intel/pck-crl/platform'])).toEqual(
      new Map([['intel/root-crl', Uint8Array.of(3)]]),
    )
  })

  test.skipIf(process.platform === 'win32')('is for its owner alone (not on Windows)', async () => {
    await cache.store(items)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    const [file = ''] = await readdir(dir)
    expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
  })

  test('#80 takes nothing of a set of which one is refused', async () => {
    const some = new Map([...items, ['../escape', Uint8Array.of(1)] as const])
    expect(await codeOf(() => cache.store(some))).toBe('ATTESTATION_COLLATERAL_INVALID')
    expect(await cache.loadAll()).toEqual(new Map())
    expect(await readdir(folder)).toEqual([])
  })

  test('a file that is damaged, or holds another item, is an error', async () => {
    await cache.store(items)
    const files = (await readdir(dir)).sort().map((it) => join(dir, it))
    const [first = '', second = ''] = files
    const original = await readFile(first)
    await writeFile(first, original.subarray(1))
    expect(await codeOf(() => cache.loadAll())).toBe('ATTESTATION_FILES_UNUSABLE')
    await writeFile(first, await readFile(second))
    expect(await codeOf(() => cache.load([...items.keys()]))).toBe('ATTESTATION_FILES_UNUSABLE')
  })

  test('a folder that is a file is an error', async () => {
    await writeFile(dir, '')
    expect(await codeOf(() => cache.store(items))).toBe('ATTESTATION_FILES_UNUSABLE')
    expect(await codeOf(() => cache.loadAll())).toBe('ATTESTATION_FILES_UNUSABLE')
  })
})

describe('the newest time seen', () => {
  test('#78 only grows, and outlives the process', async () => {
    await cache.noteSeen(5000)
    await cache.noteSeen(4000)
    await cache.noteSeen(Number.NaN)
    expect(await collateralCache(dir).newestSeenMs()).toBe(5000)
    await cache.noteSeen(6000)
    expect(await cache.newestSeenMs()).toBe(6000)
  })

  test.each([
    '',
    '{}',
    '{"newestSeenMs":-1}\n',
    '{"newestSeenMs":1e3}\n',
    '{"newestSeenMs":9999999999999999}\n',
  ])('#78 a file that holds %j is an error, not the beginning of time', async (text) => {
    await cache.noteSeen(1)
    await writeFile(join(dir, 'newest-seen.json'), text)
    expect(await codeOf(() => cache.newestSeenMs())).toBe('ATTESTATION_FILES_UNUSABLE')
    expect(await codeOf(() => cache.noteSeen(2))).toBe('ATTESTATION_FILES_UNUSABLE')
  })

  test('#78 a clock behind it refuses all evidence', async () => {
    await cache.noteSeen(nowMs + 1)
    const verify = async () =>
      verifyEvidence({
        evidence: { platform: 'simulated', bytes: new Uint8Array() },
        verifiers: [simulatedVerifier],
        trustStores: [simulatedTrustStore('any')],
        nowMs,
        newestSeenMs: await cache.newestSeenMs(),
        expectedReportData: new Uint8Array(64),
      })
    expect(await codeOf(verify)).toBe('ATTESTATION_CLOCK_BEHIND')
  })
})
