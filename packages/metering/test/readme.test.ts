// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

test('the example in the README is this file, and runs', async () => {
  const example = read('readme-example.ts')
    .replace(/^.*\n/, '')
    .replaceAll(/^export /gm, '')
  const shown = /```ts\n([\s\S]*?)```/.exec(read('../README.md'))?.[1]
  expect(shown).toBe(example)
  const { verdict, chain } = await import('./readme-example.ts')
  expect(chain).toMatchObject({ queryCount: 2, units: 2 })
  expect(verdict).toMatchObject({ status: 'accepted', history: { units: 2 } })
})
