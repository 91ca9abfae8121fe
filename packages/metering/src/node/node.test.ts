// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64Url } from '@mlcapsule/crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anchorStart, createWorld, query } from '../../test/world.ts'
import { Ledger } from '../ledger/ledger.ts'
import { extendedAnchor } from '../ledger/record.ts'
import { recordMaxSizeBytes } from '../ledger/store.ts'
import { fileAnchor, fileRecordStore } from './index.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mlcapsule-metering-'))
})
afterEach(() => rm(dir, { recursive: true }))

const code = (code: string) => expect.objectContaining({ code })

describe('fileAnchor', () => {
  test('goes on where it was, under its own name', async () => {
    const path = join(dir, 'anchor')
    const first = await fileAnchor(path)
    expect(await first.read()).toEqual(new Uint8Array(32))
    const digest = new Uint8Array(32).fill(5)
    await first.extend(digest)
    const second = await fileAnchor(path)
    expect(second.descriptor).toEqual(first.descriptor)
    expect(await second.read()).toEqual(extendedAnchor(new Uint8Array(32), digest))
    const other = await fileAnchor(join(dir, 'other'))
    expect(other.descriptor).not.toEqual(first.descriptor)
  })

  test('refuses a damaged file, and a folder that is not there', async () => {
    const path = join(dir, 'anchor')
    await writeFile(path, new Uint8Array(63))
    await expect(fileAnchor(path)).rejects.toThrow(code('LEDGER_ANCHOR_FAILED'))
    await expect(fileAnchor(join(dir, 'no', 'folder'))).rejects.toThrow(code('LEDGER_ANCHOR_FAILED'))
  })
})

test('anchors that are made at once in one file are one anchor', async () => {
  const path = join(dir, 'anchor')
  const made = await Promise.all(Array.from({ length: 8 }, () => fileAnchor(path)))
  for (const it of made) expect(it.descriptor).toEqual(made[0]?.descriptor)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('an anchor does not go on in the file of another', async () => {
  const [path, other] = [join(dir, 'anchor'), join(dir, 'other')]
  const anchor = await fileAnchor(path)
  await fileAnchor(other)
  await copyFile(other, path)
  await expect(anchor.read()).rejects.toThrow(RangeError)
  await expect(anchor.extend(new Uint8Array(32))).rejects.toThrow(RangeError)
})

describe('fileRecordStore', () => {
  test('replaces the record as a whole, owner-only, and leaves nothing else behind', async () => {
    const path = join(dir, 'ledger')
    const store = fileRecordStore(path)
    expect(await store.read()).toBeNull()
    await store.write(Uint8Array.of(1, 2, 3))
    await store.write(Uint8Array.of(4))
    expect(await store.read()).toEqual(Uint8Array.of(4))
    expect(await readdir(dir)).toEqual(['ledger'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('does not read what is too long', async () => {
    const path = join(dir, 'ledger')
    await writeFile(path, new Uint8Array(recordMaxSizeBytes + 1))
    await expect(fileRecordStore(path).read()).rejects.toThrow(RangeError)
    await writeFile(path, new Uint8Array(recordMaxSizeBytes))
    expect((await fileRecordStore(path).read())?.length).toBe(recordMaxSizeBytes)
    // It says that it has no bytes, and never ends.
    if (process.platform === 'linux') {
      await expect(fileRecordStore('/dev/zero').read()).rejects.toThrow(RangeError)
    }
  })
})

test('a ledger on files survives its process', async () => {
  const anchor = await fileAnchor(join(dir, 'anchor'))
  const world = await createWorld({ anchor: toBase64Url(anchor.descriptor) })
  const store = fileRecordStore(join(dir, 'ledger'))
  await query(await Ledger.create(world.deps({ anchor, store }), anchorStart))
  const again = { anchor: await fileAnchor(join(dir, 'anchor')), store }
  const ledger = await Ledger.open(world.deps(again))
  expect(ledger.usage).toMatchObject({ unitsSpent: 8, uncleanCount: 1 })
  await ledger.close()
  await rm(join(dir, 'anchor'))
  await expect(Ledger.open(world.deps(again))).rejects.toThrow(code('LEDGER_ANCHOR_FAILED'))
  await writeFile(join(dir, 'ledger'), new Uint8Array(recordMaxSizeBytes + 1))
  await expect(Ledger.open(world.deps(again))).rejects.toThrow(code('LEDGER_STORE_FAILED'))
})
