// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cryptoReady, Secret } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { tempDir } from '../../test-support/temp-dir.ts'
import { lockStore } from './lock.ts'
import { openStore } from './store.ts'

const code = (name: string) => expect.objectContaining({ code: name })
const lockFiles = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('lock-'))
const lockModule = new URL('./lock.ts', import.meta.url).href

beforeAll(() => cryptoReady())

/** A process that takes the lock, says so, and holds it. */
async function holder(storeDir: string): Promise<ChildProcess> {
  const script = `
    const { lockStore } = await import(${JSON.stringify(lockModule)})
    try { await lockStore(${JSON.stringify(storeDir)}); console.log('locked') } catch (error) { console.log(error.code); process.exit() }
    setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--conditions=@mlcapsule/source', '--input-type=module', '-e', script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

const firstLine = (child: ChildProcess) =>
  new Promise<string>((resolve) =>
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim())),
  )
const exited = (child: ChildProcess) => new Promise<void>((resolve) => child.once('exit', () => resolve()))

describe('the lock', () => {
  test('refuses a second opener of the same process, and lets go', async () => {
    const dir = tempDir()
    const lock = await lockStore(dir)
    await expect(lockStore(dir)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    lock.release()
    expect(lockFiles(dir)).toEqual([])
    ;(await lockStore(dir)).release()
  })

  test('refuses an opener of another process, and is taken over once that was killed', async () => {
    const dir = tempDir()
    const child = await holder(dir)
    expect(await firstLine(child)).toBe('locked')
    await expect(lockStore(dir)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    child.kill('SIGKILL')
    await exited(child)
    expect(lockFiles(dir)).toHaveLength(1)
    const lock = await lockStore(dir)
    expect(lockFiles(dir)).toHaveLength(1)
    lock.release()
  })

  test('of many that come at once, at most one holds it', async () => {
    const dir = tempDir()
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockStore(dir)))
    expect(outcomes.filter((it) => it.status === 'fulfilled').length).toBeLessThanOrEqual(1)
    const children = await Promise.all(Array.from({ length: 3 }, () => holder(tempDirOnce())))
    const said = await Promise.all(children.map(firstLine))
    expect(said.filter((it) => it === 'locked').length).toBeLessThanOrEqual(1)
    expect(said.every((it) => it === 'locked' || it === 'PROVIDER_STORE_LOCKED')).toBe(true)
  })

  test('a holder on another machine cannot be told dead, and its file is named', async () => {
    const dir = tempDir()
    const name = `lock-1-1-elsewhere-${'0'.repeat(16)}`
    writeFileSync(join(dir, name), '')
    await expect(lockStore(dir)).rejects.toThrow(code('PROVIDER_STORE_LOCKED'))
    await expect(lockStore(dir)).rejects.toThrow(name)
    expect(existsSync(join(dir, name))).toBe(true)
  })

  test('a process number that is used again does not keep the lock', async () => {
    const dir = tempDir()
    const lock = await lockStore(dir)
    const [own = ''] = lockFiles(dir)
    lock.release()
    const [, pid, startTicks, place] = own.split('-')
    // As if a process with our number, that started earlier, had died with the lock.
    writeFileSync(join(dir, `lock-${pid}-${Number(startTicks) - 1}-${place}-${'0'.repeat(16)}`), '')
    if (startTicks === '0') return
    ;(await lockStore(dir)).release()
    expect(lockFiles(dir)).toEqual([])
  })
})

let sharedDir: string | undefined
function tempDirOnce(): string {
  sharedDir ??= tempDir()
  return sharedDir
}

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
