// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { assertPureText } from '../build/purity.mjs'
import { plugins } from '../src/compose.ts'

const { bundleEnclave, coreFile, describeBundle, sha384, threadFile } = await import('../build/bundle.mjs')
const files = (await bundleEnclave()) as ReadonlyMap<string, Uint8Array>
const text = (name: string) => new TextDecoder().decode(files.get(name))

describe('the bundle', () => {
  test('is a pure core and thin entries that import it', () => {
    expect([...files.keys()].sort()).toEqual([
      'enclave-core.mjs',
      'entry-gramine.mjs',
      'entry-process.mjs',
      'entry-vm.mjs',
      'entry-web-worker.mjs',
      'entry-worker.mjs',
      'kernel-thread.mjs',
    ])
    for (const name of files.keys()) {
      const imports = [...text(name).matchAll(/\bfrom\s*"([^"]+)"/g)].map((it) => it[1])
      if (name === coreFile || name === threadFile) expect(imports).toEqual([])
      else expect(imports).toContain('./enclave-core.mjs')
    }
  })

  test('has a program for threads that holds nothing but what serves loops', () => {
    const program = text(threadFile)
    expect(program).toContain('serveThread')
    expect(program.length).toBeLessThan(1000)
  })

  test('verifies no evidence: no parser of certificates is in it', () => {
    for (const name of files.keys()) expect(text(name), name).not.toMatch(/X509|peculiar|Reflect\.metadata/)
  })

  test('has the same bytes when it is built again', async () => {
    const again = (await bundleEnclave()) as ReadonlyMap<string, Uint8Array>
    for (const [name, bytes] of files) expect(sha384(again.get(name)), name).toBe(sha384(bytes))
  })

  test('is described by digests, entries and the composed plugins', async () => {
    const description = JSON.parse(await describeBundle(files))
    for (const [name, bytes] of files) expect(description.files[name]).toBe(sha384(bytes))
    expect(description.entries.process).toEqual([
      'entry-process.mjs',
      'enclave-core.mjs',
      'kernel-thread.mjs',
    ])
    expect(description.entries.gramine).toEqual(['entry-gramine.mjs', 'enclave-core.mjs'])
    expect(description.entries.vm).toEqual(['entry-vm.mjs', 'enclave-core.mjs'])
    expect(description.plugins).toEqual(plugins)
    expect(plugins.map((it) => it.name)).toEqual(['rounding', 'top-k', 'label-only', 'wasm'])
  })
})

describe('the search for ways out', () => {
  test.each([
    'fetch("https://x")',
    'new WebSocket(u)',
    'new XMLHttpRequest',
    'setTimeout(f,1)',
    'require("fs")',
    'import("./x")',
    'eval("1")',
    'new Worker(u)',
    'indexedDB.open(1)',
    'process.getBuiltinModule("fs")',
  ])('finds %s', (source) => {
    expect(() => assertPureText('x', `let a=1;${source};`)).toThrow('mentions a way out')
  })

  test('lets harmless text be', () => {
    assertPureText('x', 'const prefetched=1;important("a");refetch=2;evaluate(3)')
  })
})
