// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../source/model-source.ts'
import { type TfjsWeight, tfjsFiles, tfjsSource } from '../testing/index.ts'
import { Fields } from './fields.ts'
import { readJson } from './json.ts'
import { readWeights } from './weights.ts'

async function read(weights: readonly TfjsWeight[], shardSizeBytes?: number) {
  const source = tfjsSource({
    topology: {},
    weights,
    ...(shardSizeBytes === undefined ? {} : { shardSizeBytes }),
  })
  return readWeights(new Fields(await readJson(source), 'model.json'), source)
}

async function elements(weights: readonly TfjsWeight[], name: string, shardSizeBytes?: number, start = 0) {
  const constant = (await read(weights, shardSizeBytes)).get(name)
  if (constant === undefined) throw new Error(`there is no ${name}`)
  const data = (await constant.read(start, elementCount(constant.dims) - start)) as Float32Array
  return { dtype: constant.dtype, data: [...data] }
}

const floats = (name: string, ...data: number[]): TfjsWeight => {
  return { name, shape: [data.length], data: Float32Array.from(data) }
}

describe('weights', () => {
  test.each([1, 3, 7, 100])('are read across files of %i bytes', async (shardSizeBytes) => {
    const weights = [floats('a', 1, 2), floats('b', 3, 4, 5)]
    expect(await elements(weights, 'b', shardSizeBytes)).toEqual({ dtype: 'float32', data: [3, 4, 5] })
    expect((await elements(weights, 'b', shardSizeBytes, 2)).data).toEqual([5])
  })

  test.each<[string, Partial<TfjsWeight> & Pick<TfjsWeight, 'data'>, string, number[]]>([
    [
      'uint8',
      { quantization: { dtype: 'uint8', scale: 0.5, min: -1 }, data: Uint8Array.of(0, 2, 255) },
      'float32',
      [-1, 0, 126.5],
    ],
    [
      'uint16',
      { quantization: { dtype: 'uint16', scale: 2, min: 1 }, data: Uint16Array.of(0, 1, 65535) },
      'float32',
      [1, 3, 131071],
    ],
    [
      'integers',
      { dtype: 'int32', quantization: { dtype: 'uint8', scale: 1.5, min: -2 }, data: Uint8Array.of(0, 1, 3) },
      'int32',
      [-2, 0, 3],
    ],
    [
      'float16',
      { quantization: { dtype: 'float16' }, data: Uint16Array.of(0x3c00, 0xc000, 0x3555) },
      'float32',
      [1, -2, 0.333251953125],
    ],
    ['bool', { dtype: 'bool', data: Uint8Array.of(0, 1, 7) }, 'bool', [0, 1, 1]],
    ['uint8 as such', { dtype: 'uint8', data: Uint8Array.of(0, 1, 255) }, 'int32', [0, 1, 255]],
    ['int32', { dtype: 'int32', data: Int32Array.of(-1, 0, 2 ** 31 - 1) }, 'int32', [-1, 0, 2 ** 31 - 1]],
  ])('of %s are decoded', async (_what, weight, dtype, data) => {
    expect(await elements([{ name: 'w', shape: [3], ...weight }], 'w', 2)).toEqual({ dtype, data })
  })

  test.each<[string, readonly TfjsWeight[], string]>([
    ['a name given twice', [floats('a', 1), floats('a', 2)], 'MODEL_NAME_DUPLICATE'],
    [
      'bytes that are not there',
      [{ name: 'a', shape: [3], data: new Float32Array(2) }],
      'MODEL_TENSOR_INVALID',
    ],
    [
      'absurd dimensions',
      [{ name: 'a', shape: [2 ** 40, 2 ** 40], data: new Float32Array(2) }],
      'MODEL_TOO_LARGE',
    ],
    ['a negative dimension', [{ name: 'a', shape: [-1], data: new Float32Array(2) }], 'MODEL_SHAPE_MISMATCH'],
    ['half a dimension', [{ name: 'a', shape: [0.5], data: new Float32Array(2) }], 'MODEL_TFJS_MALFORMED'],
    ['text', [{ ...floats('a', 1), dtype: 'string' }], 'MODEL_DTYPE_UNSUPPORTED'],
    ['complex numbers', [{ ...floats('a', 1), dtype: 'complex64' }], 'MODEL_DTYPE_UNSUPPORTED'],
    [
      'an unknown quantization',
      [{ ...floats('a', 1), quantization: { dtype: 'int4', scale: 1, min: 0 } }],
      'MODEL_DTYPE_UNSUPPORTED',
    ],
    [
      'a quantization without a scale',
      [{ ...floats('a', 1), quantization: { dtype: 'uint8' } }],
      'MODEL_TFJS_MALFORMED',
    ],
  ])('with %s are refused', async (_what, weights, code) => {
    await expect(read(weights)).rejects.toMatchObject({ code })
  })

  const { model, shards } = tfjsFiles({ topology: {}, weights: [floats('a', 1)] })
  const withPaths = (...paths: unknown[]) => {
    const json = JSON.parse(new TextDecoder().decode(model)) as { weightsManifest: { paths: unknown[] }[] }
    for (const group of json.weightsManifest) group.paths = paths
    return new Fields(json, 'model.json')
  }

  test.each<[string, unknown[], string]>([
    ['out of the folder', ['../group1-shard1.bin'], 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['from the root', ['/etc/hostname'], 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['of another host', ['https://example.com/w.bin'], 'MODEL_EXTERNAL_DATA_REFUSED'],
    ['that is not there', ['nothing.bin'], 'MODEL_READ_FAILED'],
    ['that is not text', [7], 'MODEL_TFJS_MALFORMED'],
    ['of thousands', new Array(2000).fill('group1-shard1.bin'), 'MODEL_TOO_LARGE'],
  ])('at a path %s are refused', async (_what, paths, code) => {
    const source = memoryModelSource(model, shards)
    await expect(readWeights(withPaths(...paths), source)).rejects.toMatchObject({ code })
  })

  test('need a source that has files beside it', async () => {
    const { sibling: _, ...alone } = memoryModelSource(model)
    const code = 'MODEL_EXTERNAL_DATA_REFUSED'
    await expect(readWeights(withPaths('group1-shard1.bin'), alone)).rejects.toMatchObject({ code })
  })
})
