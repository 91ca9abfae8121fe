// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toHex, utf8Bytes } from '../src/index.ts'

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

test('the example in the README is this file, and runs', async () => {
  const example = read('readme-example.ts')
    .replace(/^.*\n/, '')
    .replaceAll(/^export (const \w+): \w+/gm, '$1')
  const shown = /```ts\n([\s\S]*?)```/.exec(read('../README.md'))?.[1]
  expect(shown).toBe(example)
  const { opened, verified } = await import('./readme-example.ts')
  expect(toHex(opened)).toBe(toHex(utf8Bytes('weights')))
  expect(verified).toMatchObject({ payload: { units: 100 } })
})
