// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cryptoReady, Secret } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { tempDir } from '../../test-support/temp-dir.ts'
import { lockStore } from './lock.ts'
import { openStore } from './store.ts'

const code = (name: string) => expect.objectContaining({ code: name })
const lockFiles = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('lock-'))

beforeAll(() => cryptoReady())

describe('the lock', () => {
  test('refuses a second opener of the same process, and lets go', async () => {
    const dir = tempDir()
    const lock = await lockStore(dir)
    await expect(lockStore(dir)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    lock.release()
    expect(lockFiles(dir)).toEqual([])
    ;(await lockStore(dir)).release()
  })

  test('a holder on another machine cannot be told dead, and its file is named', async () => {
    const dir = tempDir()
    const name = `lock-1-1-elsewhere-${'0'.repeat(16)}`
    writeFileSync(join(dir, name), '')
    await expect(lockStore(dir)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    await expect(lockStore(dir)).rejects.toThrow(name)
    expect(existsSync(join(dir, name))).toBe(true)
  })
})

describe('the store', () => {
  const serviceKey = Secret.fromBytes('prk', new Uint8Array(32).fill(1))

  test('opens again with what it held, is exclusive, and belongs to its service key', async () => {
    const dir = tempDir()
    const store = await openStore(dir, serviceKey)
    await store.query(`INSERT INTO store_meta VALUES ('test', 'kept')`)
    await expect(openStore(dir, serviceKey)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    await store.close()

    const again = await openStore(dir, serviceKey)
    expect(await again.query(`SELECT value FROM store_meta WHERE name = 'test'`)).toEqual([{ value: 'kept' }])
    await again.query(`UPDATE store_meta SET value = '1000' WHERE name = 'version'`)
    await again.close()

    await expect(openStore(dir, serviceKey)).rejects.toThrow(code('PROVIDER_STORE_UNUSABLE'))
    expect(lockFiles(dir)).toEqual([])
  })

  test('is refused to another service key', async () => {
    const dir = tempDir()
    await (await openStore(dir, serviceKey)).close()
    const other = Secret.fromBytes('prk', new Uint8Array(32).fill(2))
    await expect(openStore(dir, other)).rejects.toThrow(code('PROVIDER_STORE_UNUSABLE'))
  })

  test('undoes a transaction that fails', async () => {
    const dir = tempDir()
    const store = await openStore(dir, serviceKey)
    onTestFinished(() => store.close())
    const failing = store.transaction(async (queries) => {
      await queries.query(`INSERT INTO store_meta VALUES ('test', 'gone')`)
      throw new Error('on purpose')
    })
    await expect(failing).rejects.toThrow('on purpose')
    expect(await store.query(`SELECT value FROM store_meta WHERE name = 'test'`)).toEqual([])
  })
})
