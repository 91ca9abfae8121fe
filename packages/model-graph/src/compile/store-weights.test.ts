// SPDX-License-Identifier: Apache-2.0
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { expect, test } from 'vitest'
import { importOnnx } from '../onnx/import.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, testNode } from '../testing/build-model.ts'
import { randomFloats } from '../testing/random.ts'
import { runCompiled } from '../testing/run-compiled.ts'
import { compileGraph } from './compile.ts'
import type { WeightsStorage } from './store-weights.ts'

const [outChannels, inChannels, side] = [36, 3, 6]
const random = seededRandom(5)
const filters = randomFloats(random, outChannels * (inChannels / 3) * 9)
const matrix = randomFloats(random, outChannels * 20)

function model(filterData = filters): Uint8Array {
  return buildModel({
    inputs: { x: [1, inChannels, side, side] },
    outputs: { y: [1, 20] },
    constants: {
      f: { dims: [outChannels, inChannels / 3, 3, 3], data: filterData },
      m: { dims: [outChannels, 20], data: matrix },
    },
    nodes: [
      testNode('Conv', 'x f', 'c', { group: 3 }),
      testNode('GlobalAveragePool', 'c', 'p'),
      testNode('Flatten', 'p', 'q'),
      testNode('MatMul', 'q m', 'y'),
    ],
  })
}

const compiled = async (weights: WeightsStorage, bytes = model()) =>
  compileGraph(await importOnnx(memoryModelSource(bytes)), { weights })

const input: Tensor = {
  dtype: 'float32',
  shape: [1, inChannels, side, side],
  data: randomFloats(random, inChannels * side * side),
}

async function answerOf(weights: WeightsStorage, bytes = model()): Promise<Float32Array> {
  const [answer] = await runCompiled(await compiled(weights, bytes), [input], referenceKernels)
  return answer?.data as Float32Array
}

/** Columns of a matrix [rowCount][columnCount] as int8 with a scale would give them back. */
function roundedRows(rows: Float32Array, length: number): Float32Array {
  return rows.map((value, i) => {
    const row = rows.subarray(i - (i % length), i - (i % length) + length)
    const scale = Math.fround(row.reduce((most, it) => Math.max(most, Math.abs(it)), 0) / 127)
    return Math.fround(Math.round(value / scale) * scale)
  })
}

test('int8 weights give what weights rounded by channel give', async () => {
  const transposed = matrix.map(
    (_, i) => matrix[(i % outChannels) * 20 + Math.floor(i / outChannels)] as number,
  )
  const turned = roundedRows(transposed, outChannels)
  const expected = new Float32Array(20)
  const plain = buildModel({
    inputs: { x: [1, inChannels, side, side] },
    outputs: { y: [1, 20] },
    constants: {
      f: { dims: [outChannels, 1, 3, 3], data: roundedRows(filters, 9) },
      m: {
        dims: [outChannels, 20],
        data: matrix.map((_, i) => turned[(i % 20) * outChannels + Math.floor(i / 20)] as number),
      },
    },
    nodes: [
      testNode('Conv', 'x f', 'c', { group: 3 }),
      testNode('GlobalAveragePool', 'c', 'p'),
      testNode('Flatten', 'p', 'q'),
      testNode('MatMul', 'q m', 'y'),
    ],
  })
  expected.set(await answerOf('f32', plain))
  expect(await answerOf('int8')).toEqual(expected)
})

test('smaller weights take half and a quarter, and are counted', async () => {
  const [f32, f16, int8] = await Promise.all([compiled('f32'), compiled('f16'), compiled('int8')])
  expect(f32.summary.weights).toEqual({ storage: 'f32', tensorCount: 0, keptFloat32: [] })
  expect(f16.summary.weights).toEqual({ storage: 'f16', tensorCount: 2, keptFloat32: [] })
  expect(int8.summary.weights).toEqual({ storage: 'int8', tensorCount: 2, keptFloat32: [] })
  // Each on lines of 64 bytes: 3 panels of 9 rows, 2 of 36, and for int8 the scales of 36 and of 20 columns.
  expect(f32.weights.sizeBytes).toBe((432 + 1152) * 4)
  expect(f16.weights.sizeBytes).toBe(896 + 2304)
  expect(int8.weights.sizeBytes).toBe(448 + 192 + 1152 + 128)
})

test('float16 weights differ from float32 ones by no more than their rounding', async () => {
  const [f32, f16] = [await answerOf('f32'), await answerOf('f16')]
  expect(f16).not.toEqual(f32)
  for (const [i, value] of f32.entries()) expect(Math.abs((f16[i] as number) - value)).toBeLessThan(0.01)
})

test('numbers that the smaller type cannot hold keep their tensor float32, and the summary says which', async () => {
  const large = filters.with(7, 65_536)
  const f16 = await compiled('f16', model(large))
  expect(f16.summary.weights.tensorCount).toBe(1)
  expect(f16.summary.weights.keptFloat32).toHaveLength(1)
  expect((await compiled('int8', model(large))).summary.weights.tensorCount).toBe(2)
  const broken = await compiled('int8', model(filters.with(7, Number.NaN)))
  expect(broken.summary.weights.keptFloat32).toHaveLength(1)
  expect((await compiled('f16', model(filters.with(0, 65_504)))).summary.weights.tensorCount).toBe(2)
})

test('a channel of zeros stays zero', async () => {
  const answer = await answerOf('int8', model(new Float32Array(filters.length)))
  expect([...answer]).toEqual(new Array(20).fill(0))
})
