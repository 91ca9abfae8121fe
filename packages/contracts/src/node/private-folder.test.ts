// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { privateFolderProblem } from './private-folder.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlcapsule-private-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a folder of mode 700 is private', async () => {
  expect(await privateFolderProblem(folder)).toBeUndefined()
})

test.skipIf(process.platform === 'win32').each([0o750, 0o701, 0o720])(
  'one of mode %o is not (not on Windows: it has no modes)',
  async (mode) => {
    await chmod(folder, mode)
    expect(await privateFolderProblem(folder)).toContain(mode.toString(8))
  },
)

test('a file, a link and nothing are not', async () => {
  await writeFile(join(folder, 'file'), '')
  await symlink(folder, join(folder, 'link'))
  expect(await privateFolderProblem(join(folder, 'file'))).toBe('expected a folder')
  expect(await privateFolderProblem(join(folder, 'link'))).toBe('expected a folder')
  await expect(privateFolderProblem(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
})
