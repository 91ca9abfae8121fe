// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSmallFile } from './read-small-file.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlcapsule-read-'))
})
afterEach(() => rm(folder, { recursive: true }))

const code = (code: string): unknown => expect.objectContaining({ code })

test('reads up to the limit and not beyond', async () => {
  const path = join(folder, 'file')
  await writeFile(path, 'four')
  expect(new TextDecoder().decode(await readSmallFile(path, 4))).toBe('four')
  await expect(readSmallFile(path, 3)).rejects.toThrow(code('EFBIG'))
  await writeFile(path, '')
  expect(await readSmallFile(path, 0)).toEqual(new Uint8Array(0))
})

test('refuses what is not there, and what is no plain file', async () => {
  await expect(readSmallFile(join(folder, 'none'), 9)).rejects.toThrow(code('ENOENT'))
  await expect(readSmallFile(folder, 9)).rejects.toThrow(code('ENOTSUP'))
})

test.skipIf(process.platform === 'win32')('does not wait for a pipe (not on Windows)', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  await expect(readSmallFile(path, 9)).rejects.toThrow(code('ENOTSUP'))
})
