// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namedNumbers, renderChecklist } from './attack-checklist.mjs'

interface Group {
  readonly group: string
  readonly lines: readonly { readonly number: number; readonly attack: string; readonly note?: string }[]
}

test('the list has 80 lines, each once and in order', () => {
  const groups = JSON.parse(
    readFileSync(join(import.meta.dirname, 'attack-checklist.json'), 'utf8'),
  ) as readonly Group[]
  const numbers = groups.flatMap(({ lines }) => lines.map((it) => it.number))
  expect(numbers).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
})

test('a line shows the tests that name it, its note, or that there is none', () => {
  const lines = [
    { number: 1, attack: 'one' },
    { number: 2, attack: 'two', note: 'why' },
    { number: 3, attack: 'three' },
  ]
  const found = new Map([[1, new Set(['a.test.ts', 'b.test.ts'])]])
  const text = renderChecklist([{ group: 'Some', lines }], found)
  expect(text.split('\n').filter((it) => /^\| \d/.test(it))).toEqual([
    '| 1 | one | `a.test.ts`, `b.test.ts` |',
    '| 2 | two | why |',
    '| 3 | three | **no test names it** |',
  ])
})

test('numbers are those at the beginning of a name', () => {
  const found = namedNumbers()
  expect(found.get(77)?.has('tests/attestation/transparency.test.ts')).toBe(true)
  expect([...found.keys()].every((it) => it >= 1 && it <= 80)).toBe(true)
})
