// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { buildCTests } from '../../tools/build-c-tests.mjs'
import { addonFolder, addonName, buildNative, findNodeHeaders } from '../../tools/build-native.mjs'
import { findCompiler } from '../../tools/compile.mjs'
import { packageRoot } from '../../tools/kernel-sources.mjs'

const compiler = findCompiler()
const reason = compiler === undefined ? ' (skipped: no C compiler here)' : ''
const headers = findNodeHeaders()
const folders: string[] = []

function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name))
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe.skipIf(compiler === undefined)(`C${reason}`, () => {
  it('kernels and checks hold under address and undefined-behavior sanitizers', {
    timeout: 600_000,
  }, async () => {
    const program = await buildCTests(compiler as string, temporaryFolder('mlcapsule-c-tests-'))
    const rounds = process.env.SLOW === '1' ? '200000' : '2000'
    const output = execFileSync(program, [rounds], { encoding: 'utf8' })
    expect(output).toMatch(/hostile done\n0 failures\n$/)
  })

  it.each([
    ['pool', ['c/src/core/task_pool.c', 'native/src/pool.c', 'native/tests/pool_test.c']],
    [
      'pager',
      ['native/src/pager.c', 'native/src/pages.c', 'native/src/stream.c', 'native/tests/pager_test.c'],
    ],
  ])('the %s holds under the thread sanitizer', { timeout: 120_000 }, (name, sources) => {
    const program = join(temporaryFolder(`mlcapsule-${name}-`), name)
    const flags = ['-std=gnu11', '-O1', '-g1', '-fsanitize=thread', '-Ic/src', '-Inative/src', '-pthread']
    execFileSync(compiler as string, [...flags, ...sources, '-o', program], { cwd: packageRoot })
    expect(execFileSync(program, { encoding: 'utf8' })).toBe('0 failures\n')
  })

  const skipped = headers === undefined ? ' (skipped: no node_api.h beside this Node)' : ''
  it.skipIf(headers === undefined)(
    `another folder gives the same addon, byte for byte${skipped}`,
    { timeout: 600_000 },
    async () => {
      await buildNative()
      const copy = join(temporaryFolder('mlcapsule copy with spaces '), 'elsewhere')
      for (const part of ['c', 'native/src', 'tools', 'abi']) {
        cpSync(join(packageRoot, part), join(copy, part), { recursive: true })
      }
      execFileSync(process.execPath, [join(copy, 'tools/build-native.mjs')])
      const other = readFileSync(addonFolder.replace(packageRoot, copy).concat(`/${addonName}`))
      expect(other.equals(readFileSync(join(addonFolder, addonName)))).toBe(true)
      expect(other.includes(packageRoot)).toBe(false)
    },
  )
})
