// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TensorSpec } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tempDir } from '../../test-support/temp-dir.ts'
import { builtInDefenses, parseDefense } from './defenses.ts'
import { parseLabels } from './labels.ts'
import { parsePreprocessing, preprocessingPresets, readPreprocessing } from './preprocessing.ts'

const code = (name: string) => expect.objectContaining({ code: name })

describe('defenses', () => {
  test('settings are typed, defaults filled in, and version is the one built in', () => {
    expect(parseDefense('rounding:decimals=3')).toEqual({
      name: 'rounding',
      version: 1,
      config: { decimals: 3 },
    })
    expect(parseDefense('label-only')).toMatchObject({ name: 'label-only', config: {} })
    expect(parseDefense('top-k:k=5')).toMatchObject({ config: { k: 5, renormalize: false } })
    expect(parseDefense('top-k:k=5,renormalize=true')).toMatchObject({ config: { k: 5, renormalize: true } })
  })

  test.each([
    ['nothing:x=1', 'PROVIDER_DEFENSE_UNKNOWN'],
    ['', 'PROVIDER_DEFENSE_UNKNOWN'],
    ['__proto__', 'PROVIDER_DEFENSE_UNKNOWN'],
    ['rounding', 'DEFENSE_CONFIG_INVALID'],
    ['rounding:decimals=x', 'DEFENSE_CONFIG_INVALID'],
    ['rounding:decimals=99', 'DEFENSE_CONFIG_INVALID'],
    ['rounding:decimals=1,more=2', 'DEFENSE_CONFIG_INVALID'],
    ['rounding:decimals', 'PROVIDER_OPTION_INVALID'],
    ['rounding:decimals=1,decimals=2', 'PROVIDER_OPTION_INVALID'],
    ['rounding:__proto__=1', 'PROVIDER_OPTION_INVALID'],
  ])('%s is refused', (argument, expected) => {
    expect(() => parseDefense(argument)).toThrow(code(expected))
  })

  test('no text gives anything but a known defense or a coded refusal', () => {
    const names = builtInDefenses.map((it) => it.name)
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom(...names), fc.string()).map((it) => it.join(':')),
    )
    fc.assert(
      fc.property(text, (argument) => {
        try {
          expect(names).toContain(parseDefense(argument).name)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(PROVIDER|DEFENSE)_/) })
        }
      }),
    )
  })
})

describe('labels', () => {
  const output: TensorSpec = { name: 'scores', dtype: 'float32', shape: ['batch', 3] }

  test('one per line, whatever the line ends are', () => {
    expect(parseLabels('\uFEFFcat\r\ndog \r\n bird\r\n\r\n', output)).toEqual(['cat', 'dog', 'bird'])
    expect(parseLabels('a\nb', { ...output, shape: ['batch', 'classes'] })).toEqual(['a', 'b'])
    expect(parseLabels('a\nb', undefined)).toEqual(['a', 'b'])
  })

  test.each([
    ['too few', 'a\nb'],
    ['too many', 'a\nb\nc\nd'],
    ['an empty one', 'a\n\nc'],
    ['none', '\n'],
  ])('%s is refused', (_, text) => {
    expect(() => parseLabels(text, output)).toThrow(code('PROVIDER_LABELS_INVALID'))
  })
})

describe('preprocessing', () => {
  test.each(Object.keys(preprocessingPresets))('preset %s is valid', async (name) => {
    expect((await readPreprocessing(name)).kind).toBe('image')
  })

  test('fractions become integers in steps of 10⁻⁹', async () => {
    expect(await readPreprocessing('imagenet-rgb')).toMatchObject({
      scaleNano: 3_921_569,
      meanNano: [485_000_000, 456_000_000, 406_000_000],
      stdNano: [229_000_000, 224_000_000, 225_000_000],
      crop: { height: 224, width: 224 },
      layout: 'NCHW',
    })
    expect(await readPreprocessing('caffe-bgr')).toMatchObject({
      colorOrder: 'BGR',
      scaleNano: 1_000_000_000,
    })
  })

  test('a description comes from a file', async () => {
    const path = join(tempDir(), 'gray.json')
    writeFileSync(
      path,
      JSON.stringify({ kind: 'image', colorOrder: 'gray', mean: [0.5], std: [2], layout: 'NHWC' }),
    )
    expect(await readPreprocessing(path)).toEqual({
      kind: 'image',
      layout: 'NHWC',
      colorOrder: 'gray',
      resizeShorterSide: null,
      crop: null,
      scaleNano: 1_000_000_000,
      meanNano: [500_000_000],
      stdNano: [2_000_000_000],
    })
    writeFileSync(path, '{')
    await expect(readPreprocessing(path)).rejects.toThrow(code('PROVIDER_PREPROCESSING_INVALID'))
  })

  const good = { kind: 'image', colorOrder: 'RGB', mean: [0, 0, 0], std: [1, 1, 1] }
  test.each([
    ['a name that is no preset', 'imagenet'],
    ['an inherited name', 'constructor'],
  ])('%s is refused', async (_, name) => {
    await expect(readPreprocessing(name)).rejects.toThrow(code('PROVIDER_PREPROCESSING_INVALID'))
  })
  test.each([
    ['one mean for three channels', { ...good, mean: [0] }],
    ['a zero deviation', { ...good, std: [1, 0, 1] }],
    ['a negative scale', { ...good, scale: -1 }],
    ['a mean beyond bounds', { ...good, mean: [1e9, 0, 0] }],
    ['an unknown field', { ...good, rotate: 1 }],
    ['a crop of nothing', { ...good, crop: { height: 0, width: 1 } }],
    ['text', 'image'],
    ['null', null],
  ])('%s is refused', (_, value) => {
    expect(() => parsePreprocessing(value)).toThrow(code('PROVIDER_PREPROCESSING_INVALID'))
  })
})
