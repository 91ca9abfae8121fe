// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileModelSource } from './file-source.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-graph-'))
  await mkdir(join(folder, 'model/data'), { recursive: true })
  await writeFile(join(folder, 'model/model.onnx'), Uint8Array.of(1, 2, 3, 4))
  await writeFile(join(folder, 'model/data/w.bin'), Uint8Array.of(5, 6, 7))
  await writeFile(join(folder, 'secret'), 'secret')
  await symlink('../secret', join(folder, 'model/link.bin'))
  await symlink('..', join(folder, 'model/up'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('fileModelSource', () => {
  test('reads any range of the file and of those beside it', async () => {
    await using source = await fileModelSource(join(folder, 'model/model.onnx'))
    expect(source.sizeBytes).toBe(4)
    expect([...(await source.read(1, 2))]).toEqual([2, 3])
    const data = await source.sibling?.('data/w.bin')
    expect(data?.sizeBytes).toBe(3)
    expect([...((await data?.read(0, 3)) ?? [])]).toEqual([5, 6, 7])
  })

  test.each([
    ['a link', 'link.bin', 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['a path through a link', 'up/secret', 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['a path out of the folder', '../secret', 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['an absolute path', '/etc/hostname', 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['a file that is not there', 'data/x.bin', 'MODEL_READ_FAILED'],
    ['a folder', 'data', 'MODEL_READ_FAILED'],
  ])('refuses %s', async (_what, path, code) => {
    await using source = await fileModelSource(join(folder, 'model/model.onnx'))
    await expect(source.sibling?.(path)).rejects.toMatchObject({ code })
  })

  test('refuses a model that is not there, and a folder', async () => {
    await expect(fileModelSource(join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'MODEL_READ_FAILED',
    })
    await expect(fileModelSource(folder)).rejects.toMatchObject({ code: 'MODEL_READ_FAILED' })
  })
})
