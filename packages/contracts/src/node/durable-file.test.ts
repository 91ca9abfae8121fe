// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDurableFile, writeFileDurably } from './durable-file.ts'

const { steps, failures } = vi.hoisted(() => ({
  /** What was asked of the file system, in order. */
  steps: [] as string[],
  /** The code that a call shall fail with, by the call's name. */
  failures: new Map<string, string>(),
}))

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>()
  const failIfTold = (step: string): void => {
    const code = failures.get(step)
    if (code !== undefined) throw Object.assign(new Error(step), { code })
  }
  const note = (step: string): void => {
    steps.push(step)
    failIfTold(step)
  }
  return {
    ...real,
    async open(path: string, flags: string, mode?: number) {
      const handle = await real.open(path, flags, mode)
      const { sync, write } = handle
      handle.sync = async () => {
        note((await handle.stat()).isDirectory() ? 'sync folder' : 'sync file')
        await sync.call(handle)
      }
      handle.write = (async (...args: unknown[]) => {
        failIfTold('write')
        return await Reflect.apply(write, handle, args)
      }) as typeof write
      return handle
    },
    async rename(from: string, to: string) {
      note('rename')
      await real.rename(from, to)
    },
    async link(from: string, to: string) {
      note('link')
      await real.link(from, to)
    },
  }
})

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlcapsule-durable-'))
  path = join(folder, 'file')
  steps.length = 0
  failures.clear()
})
afterEach(() => rm(folder, { recursive: true }))

const code = (code: string): unknown => expect.objectContaining({ code })

describe('writeFileDurably', () => {
  test('syncs the file before it gets its name, and the folder after', async () => {
    await writeFileDurably(path, Uint8Array.of(1, 2, 3))
    expect(steps).toEqual(['sync file', 'link', 'sync folder'])
    steps.length = 0
    await writeFileDurably(path, 'four', { replace: true })
    expect(steps).toEqual(['sync file', 'rename', 'sync folder'])
    expect(await readFile(path, 'utf8')).toBe('four')
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('leaves a file that is there alone, unless told to replace it', async () => {
    await writeFile(path, 'old')
    await expect(writeFileDurably(path, 'new')).rejects.toThrow(code('EEXIST'))
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('takes a link to nowhere for a file, and replaces the link rather than its target', async () => {
    await symlink(join(folder, 'target'), path)
    await expect(writeFileDurably(path, 'new')).rejects.toThrow(code('EEXIST'))
    await writeFileDurably(path, 'new', { replace: true })
    expect(await readdir(folder)).toEqual(['file'])
  })

  test.skipIf(process.platform === 'win32')('gives the file its mode from the start', async () => {
    const file = await createDurableFile(path, { mode: 0o600 })
    const [temporary = ''] = await readdir(folder)
    expect((await stat(join(folder, temporary))).mode & 0o777).toBe(0o600)
    await file.commit()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('takes the longest name that a file can have', async () => {
    const name = 'n'.repeat(255)
    await writeFileDurably(join(folder, name), 'new')
    expect(await readdir(folder)).toEqual([name])
  })

  test('reports a folder that is not there', async () => {
    await expect(writeFileDurably(join(folder, 'none', 'file'), '')).rejects.toThrow(code('ENOENT'))
  })

  test.each([
    ['sync file', undefined],
    ['rename', undefined],
    ['sync folder', 'new'],
  ])('a failure to %s leaves no temporary file', async (step, content = 'old') => {
    await writeFile(path, 'old')
    failures.set(step, 'EIO')
    await expect(writeFileDurably(path, 'new', { replace: true })).rejects.toThrow(code('EIO'))
    expect(await readFile(path, 'utf8')).toBe(content)
    expect(await readdir(folder)).toEqual(['file'])
  })

  test.each(['sync file', 'link', 'sync folder'])('a failure to %s leaves no new file', async (step) => {
    failures.set(step, 'EIO')
    await expect(writeFileDurably(path, 'new')).rejects.toThrow(code('EIO'))
    expect(await readdir(folder)).toEqual([])
  })

  test('a folder in the place of the file stays, and no temporary file beside it', async () => {
    await mkdir(path)
    await expect(writeFileDurably(path, 'new', { replace: true })).rejects.toThrow()
    expect(await readdir(folder)).toEqual(['file'])
  })
})

describe('a file system without hard links', () => {
  beforeEach(() => failures.set('link', 'EPERM'))

  test('takes a new file', async () => {
    await writeFileDurably(path, 'new')
    expect(steps).toEqual(['sync file', 'link', 'rename', 'sync folder'])
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('leaves no new file when the rename fails', async () => {
    failures.set('rename', 'EIO')
    await expect(writeFileDurably(path, 'new')).rejects.toThrow(code('EIO'))
    expect(await readdir(folder)).toEqual([])
  })

  test('keeps the file that is there', async () => {
    await writeFile(path, 'old')
    await expect(writeFileDurably(path, 'new')).rejects.toThrow(code('EEXIST'))
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['file'])
  })
})

describe('createDurableFile', () => {
  test('takes writes in any order, and shows the file when it is whole', async () => {
    const file = await createDurableFile(path)
    await file.write(3, Uint8Array.of(4, 5))
    await file.write(0, Uint8Array.of(1, 2, 3))
    const names = await readdir(folder)
    expect(names).not.toContain(basename(path))
    expect(names).toHaveLength(1)
    await file.commit()
    expect([...(await readFile(path))]).toEqual([1, 2, 3, 4, 5])
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('abort leaves nothing, and after commit does nothing', async () => {
    const given = await createDurableFile(path)
    await given.write(0, Uint8Array.of(1))
    await given.abort()
    await given.abort()
    expect(await readdir(folder)).toEqual([])

    const kept = await createDurableFile(path)
    await kept.commit()
    await kept.abort()
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('a write that fails ends the file', async () => {
    const file = await createDurableFile(path)
    failures.set('write', 'ENOSPC')
    await expect(file.write(0, Uint8Array.of(1))).rejects.toThrow(code('ENOSPC'))
    failures.clear()
    expect(await readdir(folder)).toEqual([])
    await expect(file.write(0, Uint8Array.of(1))).rejects.toThrow()
    await expect(file.commit()).rejects.toThrow()
    expect(await readdir(folder)).toEqual([])
  })

  test('two writers of one path do not meet', async () => {
    const files = await Promise.all([createDurableFile(path), createDurableFile(path)])
    await Promise.all(files.map((file, at) => file.write(0, Uint8Array.of(at))))
    const outcomes = await Promise.allSettled(files.map((file) => file.commit()))
    expect(outcomes.map((it) => it.status).sort()).toEqual(['fulfilled', 'rejected'])
    const winner = outcomes.findIndex((it) => it.status === 'fulfilled')
    expect([...(await readFile(path))]).toEqual([winner])
    expect(await readdir(folder)).toEqual(['file'])
  })
})
