// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFile, systemCode, writeFileDurably } from '@mlcapsule/contracts/node'
import { sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { type CollateralItems, decodeBundle, encodeBundle } from '../collateral/bundle.ts'
import { collateralMaxSizeBytes } from '../collateral/names.ts'
import { AttestationError } from '../errors.ts'
import { filesUnusable } from './file-errors.ts'

const itemFile = /^[0-9a-f]{64}\.json$/
const itemFileMaxSizeBytes = 2 * collateralMaxSizeBytes
const newestSeenFile = 'newest-seen.json'

/**
 * Collateral in a folder, and the newest time that anything signed by a vendor has ever named. Whoever can write to the
 * folder can remove or exchange collateral, which verifiers notice, and can make the newest time smaller, which nobody does:
 * keep it where only the verifier writes.
 */
export interface CollateralCache {
  /** Those of the names that are there. @throws AttestationError `ATTESTATION_FILES_UNUSABLE` */
  load(names: readonly string[]): Promise<CollateralItems>
  /** @throws AttestationError `ATTESTATION_FILES_UNUSABLE` */
  loadAll(): Promise<CollateralItems>
  /** Adds items, or replaces those of the same names. @throws AttestationError `ATTESTATION_FILES_UNUSABLE`, `ATTESTATION_COLLATERAL_INVALID` */
  store(items: CollateralItems): Promise<void>
  /** 0 where nothing was noted yet. @throws AttestationError `ATTESTATION_FILES_UNUSABLE`, also for a damaged file */
  newestSeenMs(): Promise<number>
  /** Notes a time, unless a newer one is there. @throws AttestationError `ATTESTATION_FILES_UNUSABLE` */
  noteSeen(seenAtMs: number): Promise<void>
}

/** @param dir made when something is first stored in it */
export function collateralCache(dir: string): CollateralCache {
  const pathOf = (name: string) => join(dir, `${toHex(sha256(utf8Bytes(name)))}.json`)
  const newestSeenMs = async () => {
    const path = join(dir, newestSeenFile)
    const bytes = await readIfThere(path, 64)
    return bytes === undefined ? 0 : readNewestSeen(bytes, path)
  }
  return {
    newestSeenMs,
    async load(names) {
      const found = await Promise.all(names.map((name) => readItem(pathOf(name), name)))
      return new Map(found.flatMap((it) => [...(it ?? [])]))
    },
    async loadAll() {
      const files = (await listIfThere(dir)).filter((it) => itemFile.test(it)).sort()
      const items = new Map<string, Uint8Array>()
      for (const file of files) {
        for (const [name, bytes] of (await readItem(join(dir, file))) ?? []) items.set(name, bytes)
      }
      return new Map([...items].sort(([a], [b]) => (a < b ? -1 : 1)))
    },
    async store(items) {
      // All are encoded before the first is written: a bad one leaves everything as it was.
      const files = [...items].map(
        ([name, bytes]) => [pathOf(name), encodeBundle(new Map([[name, bytes]]))] as const,
      )
      await makeFolder(dir)
      for (const [path, bytes] of files) await write(path, bytes)
    },
    async noteSeen(seenAtMs) {
      if (!Number.isSafeInteger(seenAtMs) || seenAtMs <= (await newestSeenMs())) return
      await makeFolder(dir)
      await write(join(dir, newestSeenFile), utf8Bytes(`{"newestSeenMs":${seenAtMs}}\n`))
    },
  }
}

function readNewestSeen(bytes: Uint8Array, path: string): number {
  const [, digits] = /^\{"newestSeenMs":(\d{1,16})\}\n$/.exec(new TextDecoder().decode(bytes)) ?? []
  const newest = Number(digits)
  if (!Number.isSafeInteger(newest)) throw filesUnusable(path, 'it does not hold a time')
  return newest
}

/** @param name the only one that the file may hold; any when absent */
async function readItem(path: string, name?: string): Promise<CollateralItems | undefined> {
  const bytes = await readIfThere(path, itemFileMaxSizeBytes)
  if (bytes === undefined) return undefined
  const items = decodeItem(bytes, path)
  if (items.size !== 1 || (name !== undefined && !items.has(name))) {
    throw filesUnusable(path, 'it holds something else than its name says')
  }
  return items
}

function decodeItem(bytes: Uint8Array, path: string): CollateralItems {
  try {
    return decodeBundle(bytes)
  } catch (cause) {
    if (cause instanceof AttestationError) throw filesUnusable(path, 'it is damaged')
    throw cause
  }
}

async function readIfThere(path: string, maxSizeBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await readSmallFile(path, maxSizeBytes)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw filesUnusable(path, 'reading failed', cause)
  }
}

async function listIfThere(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return []
    throw filesUnusable(dir, 'reading failed', cause)
  }
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw filesUnusable(dir, 'making the folder failed', cause)
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFileDurably(path, bytes, { replace: true, mode: 0o600 })
  } catch (cause) {
    throw filesUnusable(path, 'writing failed', cause)
  }
}
