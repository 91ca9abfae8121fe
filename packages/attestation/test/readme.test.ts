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
  const { decision } = await import('./readme-example.ts')
  expect(decision).toMatchObject({ status: 'accepted', attestation: { tier: 'none', unattested: true } })
})
