// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DType, elementCount, type Tensor } from '@mlcapsule/contracts'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { describe, expect, test } from 'vitest'
import { compileGraph, importTfjs } from '../src/index.ts'
import { type TfjsModel, type TfjsWeight, tfjsSource, waveValues } from '../src/testing/index.ts'
import { difference, runCompiled } from './run-model.ts'

interface ExpectedTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface LayersCase {
  readonly name: string
  readonly topology: unknown
  readonly weights: readonly { readonly name: string; readonly shape: number[]; readonly phase: number }[]
  readonly inputs: readonly (readonly number[])[]
  readonly outputs: readonly ExpectedTensor[]
}

interface GraphInput {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data?: readonly number[]
  readonly constant?: true
}

interface GraphCase {
  readonly name: string
  readonly op: string
  readonly attr: Readonly<Record<string, unknown>>
  readonly inputs: readonly GraphInput[]
  readonly outputs: readonly ExpectedTensor[]
}

/** Small models and single nodes with what TensorFlow.js 4.22 (backend cpu) makes of them. */
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'tfjs-expected.json'), 'utf8')) as {
  layers: readonly LayersCase[]
  graph: readonly GraphCase[]
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

function tensorOf({ dtype, shape, data }: ExpectedTensor): Tensor {
  return { dtype, shape, data: arrays[dtype as keyof typeof arrays].from(data) }
}

async function expectOutputs(
  given: TfjsModel,
  inputs: readonly Tensor[],
  outputs: readonly ExpectedTensor[],
): Promise<void> {
  const model = await compileGraph(await importTfjs(tfjsSource(given)))
  for (const kernels of [undefined, wasmKernels]) {
    const actual = await runCompiled(model, inputs, kernels)
    expect(actual).toHaveLength(outputs.length)
    for (const [i, expected] of outputs.entries()) {
      const off = difference(actual[i] as Tensor, tensorOf(expected), { relative: 1e-3, absolute: 1e-5 })
      expect(off).toBeNull()
    }
  }
}

describe('layers-models give what TensorFlow.js gives', () => {
  test.each(cases.layers)('$name', async ({ topology, weights, inputs, outputs }) => {
    const stored = weights.map(({ name, shape, phase }): TfjsWeight => {
      const wave = waveValues(elementCount(shape), phase)
      return { name, shape, data: name.includes('variance') ? wave.map((it) => it + 1.5) : wave }
    })
    const operands = inputs.map((shape, i): Tensor => {
      return { dtype: 'float32', shape, data: waveValues(elementCount(shape), 10 + i) }
    })
    await expectOutputs({ topology, weights: stored, shardSizeBytes: 50 }, operands, outputs)
  })
})

const typeNames: Partial<Record<DType, string>> = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' }

describe('nodes of a graph-model give what TensorFlow.js gives', () => {
  test.each(cases.graph)('$name ($op)', async ({ op, attr, inputs, outputs }) => {
    const tensors = inputs.map((it, i) => {
      const data = it.data ?? [...waveValues(elementCount(it.shape), i + 1)]
      return { ...it, name: `in${i}`, tensor: tensorOf({ dtype: it.dtype, shape: it.shape, data }) }
    })
    const nodes = tensors.map(({ name, dtype, shape, constant }) => ({
      name,
      op: constant ? 'Const' : 'Placeholder',
      attr: {
        dtype: { type: typeNames[dtype] },
        ...(constant ? {} : { shape: { shape: { dim: shape.map((dim) => ({ size: `${dim}` })) } } }),
      },
    }))
    const weights = tensors
      .filter((it) => it.constant)
      .map(({ name, shape, dtype, tensor }) => ({ name, shape, dtype, data: tensor.data as Float32Array }))
    const signature = {
      inputs: Object.fromEntries(tensors.filter((it) => !it.constant).map(({ name }) => [name, { name }])),
      outputs: Object.fromEntries(outputs.map((_, i) => [`y${i}`, { name: `y:${i}` }])),
    }
    const node = [...nodes, { name: 'y', op, input: tensors.map(({ name }) => name), attr }]
    const operands = tensors.filter((it) => !it.constant).map((it) => it.tensor)
    await expectOutputs({ topology: { node }, weights, fields: { signature } }, operands, outputs)
  })
})

test.each([
  ['Any', 0],
  ['All', 1],
])('%s of no booleans is %i', async (op, value) => {
  const list = (name: string, shape: number[], ...data: number[]): TfjsWeight => {
    return { name, shape, dtype: 'int32', data: Int32Array.from(data) }
  }
  const dim = [{ size: '4' }]
  const node = [
    { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } } },
    { name: 'places', op: 'Where', input: ['x'] },
    { name: 'zero', op: 'Const' },
    { name: 'marks', op: 'Greater', input: ['places', 'zero'] },
    { name: 'axes', op: 'Const' },
    { name: 'y', op, input: ['marks', 'axes'] },
  ]
  const weights = [list('zero', [], 0), list('axes', [2], 0, 1)]
  const input: Tensor = { dtype: 'float32', shape: [4], data: new Float32Array(4) }
  const output: ExpectedTensor = { dtype: 'bool', shape: [], data: [value] }
  await expectOutputs({ topology: { node }, weights }, [input], [output])
})
