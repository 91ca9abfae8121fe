// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { modelLimits } from '../limits.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { Fields } from './fields.ts'
import { importTfjs } from './import.ts'
import { readJson } from './json.ts'

const sourceOf = (text: string) => memoryModelSource(new TextEncoder().encode(text))

describe('readJson', () => {
  test('counts neither brackets nor commas in text', async () => {
    const value = { a: `${'[{,'.repeat(200)}\\"`, b: [1, { c: 'é' }] }
    expect(await readJson(sourceOf(JSON.stringify(value)))).toEqual(value)
  })

  test.each([
    ['nothing', '', 'MODEL_TFJS_MALFORMED'],
    ['half an object', '{"a":', 'MODEL_TFJS_MALFORMED'],
    ['lists without end', '['.repeat(100_000), 'MODEL_TOO_LARGE'],
    ['a hundred lists', `${'['.repeat(100)}${']'.repeat(100)}`, 'MODEL_TOO_LARGE'],
    ['millions of values', `[${'0,'.repeat(modelLimits.elementCount + 1)}0]`, 'MODEL_TOO_LARGE'],
  ])('refuses %s', async (_what, text, code) => {
    await expect(readJson(sourceOf(text))).rejects.toMatchObject({ code })
  })

  test('refuses bytes that are not UTF-8, and a file beyond the limit unread', async () => {
    const bytes = memoryModelSource(Uint8Array.of(0x22, 0xff, 0x22))
    await expect(readJson(bytes)).rejects.toMatchObject({ code: 'MODEL_TFJS_MALFORMED' })
    const huge = { sizeBytes: 2 ** 40, read: () => Promise.reject(new Error('it was read')) }
    await expect(readJson(huge)).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' })
  })
})

describe('Fields', () => {
  test('sees own properties alone, and takes null for left out', () => {
    const fields = new Fields(JSON.parse('{"__proto__": {"a": 1}, "b": null}'), 'it')
    expect(fields.has('toString')).toBe(false)
    expect(fields.has('a')).toBe(false)
    expect(fields.string('b', 'otherwise')).toBe('otherwise')
    expect(fields.object('__proto__').integer('a')).toBe(1)
    expect(({} as { a?: number }).a).toBeUndefined()
  })
})

describe('importTfjs', () => {
  test.each([
    ['a list', '[]'],
    ['an object without a model', '{}'],
    ['a model of nothing', '{"modelTopology": {}}'],
    ['a model that is text', '{"modelTopology": "x"}'],
    ['a layer on its own', '{"modelTopology": {"class_name": "Dense", "config": {}}}'],
    ['nodes that are no list', '{"modelTopology": {"node": {}}}'],
    ['a node without a name', '{"modelTopology": {"node": [{"op": "Const"}]}}'],
    ['weights that are no list', '{"modelTopology": {"node": []}, "weightsManifest": {}}'],
  ])('refuses %s', async (_what, text) => {
    await expect(importTfjs(sourceOf(text))).rejects.toMatchObject({ code: 'MODEL_TFJS_MALFORMED' })
  })

  test('refuses sizes of symbols that are none', async () => {
    const source = sourceOf('{"modelTopology": {"node": []}}')
    const rejected = expect(importTfjs(source, { symbols: { batch: 0 } })).rejects
    await rejected.toMatchObject({ code: 'MODEL_OPTION_INVALID', field: 'symbols.batch' })
  })
})
