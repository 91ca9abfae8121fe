// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { findWords } from './check-words.mjs'

const find = (path: string, text: string): unknown => findWords(path, Buffer.from(text))
const slash = '/'

describe('findWords', () => {
  test.each([
    ['a machine path', `const a = '${slash}home/someone/a'`],
    ['a machine path in a file URL', `file:${slash}${slash}${slash}root/a`],
    ['an unfinished note', `// ${'TO'}${'DO'}: later`],
    ['a registry', `https:${slash}/registry.example.org/a`],
  ])('refuses %s', (_, text) => {
    expect(find('src/a.ts', `first\n${text}\n`)).toEqual([{ line: 2, what: expect.any(String) }])
  })

  test('refuses a machine path in a binary file', () => {
    expect(find('a.wasm', `\0asm\0${slash}work/main/c/kernel.c\0`)).toHaveLength(1)
  })

  test('refuses download addresses in lock files only', () => {
    expect(find('tools/x/package-lock.json', '  "resolved": "a"')).toHaveLength(1)
    expect(find('src/a.json', '  "resolved": "a"')).toEqual([])
  })

  test.each([
    'https://example.org/home/page',
    './work/a',
    'src/root/a',
    'the root/home directory',
    'todo list',
  ])('lets %s pass', (text) => {
    expect(find('src/a.ts', text)).toEqual([])
  })
})
