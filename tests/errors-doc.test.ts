// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorsDocPath, errorTables } from '../tools/errors-doc.mjs'
import { listCommittable } from '../tools/runner/files.mjs'

interface Row {
  readonly kind: string
  readonly meaning: string
  readonly remedy: string
}

const root = join(import.meta.dirname, '..')
const tables: { packageName: string; table: Record<string, Row> }[] = await errorTables()
const inCode = new Map(tables.flatMap(({ table }) => Object.entries(table)))

/** The rows of the document, read back without the generator's help. */
function documentRows(): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const line of readFileSync(errorsDocPath, 'utf8').split('\n')) {
    const [, code, kind, meaning, remedy] = line
      .split(/(?<!\\)\|/)
      .map((it) => it.trim().replaceAll('\\|', '|'))
    const name = /^`([A-Z0-9_]+)`$/.exec(code ?? '')?.[1]
    if (name !== undefined) rows.set(name, { kind: kind ?? '', meaning: meaning ?? '', remedy: remedy ?? '' })
  }
  return rows
}

describe('docs/reference/errors.md', () => {
  const inDocument = documentRows()

  test('holds every code of the source', () => {
    expect([...inCode.keys()].filter((code) => !inDocument.has(code))).toEqual([])
  })

  test('holds no code that the source does not have', () => {
    expect([...inDocument.keys()].filter((code) => !inCode.has(code))).toEqual([])
  })

  test('says of each what the source says', () => {
    for (const [code, { kind, meaning, remedy }] of inCode) {
      expect(inDocument.get(code), code).toEqual({ kind, meaning, remedy })
    }
  })
})

test('no other document names a code that does not exist', () => {
  const prefixes = new Set([...inCode.keys()].map((code) => code.split('_')[0]))
  const paths: string[] = listCommittable(root)
  const unknown = paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => {
      const named = readFileSync(join(root, path), 'utf8').matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)
      return [...named].map(([, code = '']) => ({ path, code }))
    })
    .filter(({ code }) => prefixes.has(code.split('_')[0]) && !inCode.has(code))
  expect(unknown).toEqual([])
})

describe('error tables', () => {
  test('no code is in two tables', () => {
    const all = tables.flatMap(({ table }) => Object.keys(table))
    expect(all.filter((code, index) => all.indexOf(code) !== index)).toEqual([])
  })

  test('each meaning and each remedy is a sentence', () => {
    for (const [code, { meaning, remedy }] of inCode) {
      expect(meaning, code).toMatch(/^[A-Z].*\.$/)
      expect(remedy, code).toMatch(/^[A-Z].*\.$/)
    }
  })
})
