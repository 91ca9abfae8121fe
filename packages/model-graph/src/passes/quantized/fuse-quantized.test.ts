// SPDX-License-Identifier: Apache-2.0
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { describe, expect, test } from 'vitest'
import { compileGraph } from '../../compile/compile.ts'
import { importOnnx } from '../../onnx/import.ts'
import { memoryModelSource } from '../../source/model-source.ts'
import { buildModel, type TestNode, type TestTensor, testNode } from '../../testing/build-model.ts'
import { randomFloats } from '../../testing/random.ts'

type Zero = Uint8Array | Int8Array

const constants: Record<string, TestTensor> = {}
const scalar = (name: string, scale: number, zero: Zero) => {
  constants[`${name}_scale`] = { dims: [], data: Float32Array.of(scale) }
  constants[`${name}_zero`] =
    zero instanceof Uint8Array ? { dims: [], data: zero, dtype: 'uint8' } : { dims: [], data: zero }
}

/** A value, quantized and dequantized: `x` to `x_real`. */
const pair = (x: string, format = x): TestNode[] => [
  testNode('QuantizeLinear', `${x} ${format}_scale ${format}_zero`, `${x}_bytes`),
  testNode('DequantizeLinear', `${x}_bytes ${format}_scale ${format}_zero`, `${x}_real`),
]

const random = seededRandom(3)
const integers = (count: number) => Int8Array.from({ length: count }, () => Math.floor(random() * 256) - 128)
const filterScales = Float32Array.from({ length: 5 }, () => 0.002 + random() / 100)

/** Filters [5, 3, 3, 3] with a scale each, and biases in their units. */
function addFilters(inputScale: number): void {
  constants.w_bytes = { dims: [5, 3, 3, 3], data: integers(135) }
  constants.w_scale = { dims: [5], data: filterScales }
  constants.w_zero = { dims: [5], data: new Int8Array(5) }
  constants.b_integers = { dims: [5], data: Int32Array.of(-900, 0, 55, 1200, 7) }
  constants.b_scale = { dims: [5], data: filterScales.map((it) => Math.fround(inputScale * it)) }
}

const filters: TestNode[] = [
  testNode('DequantizeLinear', 'w_bytes w_scale w_zero', 'w', { axis: 0 }),
  testNode('DequantizeLinear', 'b_integers b_scale', 'b', { axis: 0 }),
]

async function compiled(nodes: readonly TestNode[], output: string, dims: readonly number[] = [1, 3, 6, 6]) {
  const model = buildModel({ opset: 21, inputs: { x: dims }, outputs: { [output]: null }, constants, nodes })
  const { program, weights } = await compileGraph(await importOnnx(memoryModelSource(model)))
  const bytes = new Uint8Array(weights.sizeBytes)
  let at = 0
  for await (const chunk of weights.chunks()) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  const ops = decodeProgram(program).steps.map((step) => (step.op === 'operator' ? step.operator : step.op))
  const run = async (x: Float32Array) => {
    const session = await createSession({ kernels: referenceKernels, program, weights: bytes })
    const input: Tensor = { dtype: 'float32', shape: dims, data: x }
    const data = session.run(new Map([['x', input]])).get(output)?.data as Float32Array
    session.dispose()
    return Float32Array.from(data)
  }
  return { ops, run }
}

/** The same nodes with each conversion's result also read by another one, so that nothing can be fused. */
const apart = (nodes: readonly TestNode[], values: readonly string[]): TestNode[] => [
  ...nodes,
  ...values.map((it) => testNode('Neg', it, `${it}_negated`)),
]

async function realAnswer(
  nodes: readonly TestNode[],
  values: readonly string[],
  output: string,
  x: Float32Array,
) {
  const model = buildModel({
    opset: 21,
    inputs: { x: [1, 3, 6, 6] },
    outputs: Object.fromEntries([output, ...values.map((it) => `${it}_negated`)].map((it) => [it, null])),
    constants,
    nodes: apart(nodes, values),
  })
  const { program, weights } = await compileGraph(await importOnnx(memoryModelSource(model)))
  const ops = decodeProgram(program).steps.map(({ op }) => op)
  expect(ops.some((op) => op === 'quantizedConv2d' || op === 'quantizedAdd')).toBe(false)
  const bytes = new Uint8Array(weights.sizeBytes)
  let at = 0
  for await (const chunk of weights.chunks()) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  const session = await createSession({ kernels: referenceKernels, program, weights: bytes })
  const results = session.run(new Map([['x', { dtype: 'float32', shape: [1, 3, 6, 6], data: x }]]))
  return Float32Array.from(results.get(output)?.data as Float32Array)
}

describe.each(['uint8', 'int8'] as const)('activations in %s', (dtype) => {
  const zero = (value: number) => (dtype === 'uint8' ? Uint8Array.of(value) : Int8Array.of(value - 128))
  const x = randomFloats(seededRandom(8), 108, 3)

  test('a convolution with its rectifier becomes one step on bytes', async () => {
    scalar('x', 0.025, zero(120))
    scalar('y', 0.04, zero(30))
    addFilters(0.025)
    const nodes = [
      ...pair('x'),
      ...filters,
      testNode('Conv', 'x_real w b', 'c', { pads: [1, 1, 1, 1] }),
      testNode('Relu', 'c', 'y'),
      ...pair('y'),
    ]
    const { ops, run } = await compiled(nodes, 'y_real')
    expect(ops.filter((op) => op !== 'transpose')).toEqual(['quantize', 'quantizedConv2d', 'dequantize'])
    const [actual, expected] = [await run(x), await realAnswer(nodes, ['c', 'y'], 'y_real', x)]
    expect(new Set(expected).size).toBeGreaterThan(20)
    const steps = actual.map((it, i) => Math.round(Math.abs(it - (expected[i] as number)) / 0.04))
    expect(Math.max(...steps)).toBeLessThanOrEqual(1)
    expect(steps.filter((it) => it > 0).length).toBeLessThanOrEqual(2)
  })

  test('the sum with what the convolution began with becomes a part of its step, with the same bytes', async () => {
    scalar('x', 0.03, zero(128))
    scalar('c', 0.05, zero(100))
    scalar('s', 0.07, zero(90))
    addFilters(0.03)
    const head = [
      ...pair('x'),
      ...filters,
      testNode('Conv', 'x_real w b', 'c', { pads: [1, 1, 1, 1] }),
      ...pair('c'),
    ]
    const nodes = [
      ...head,
      testNode('Neg', 'c_real', 'n'),
      testNode('Conv', 'x_real w b', 'd', { pads: [1, 1, 1, 1] }),
    ]
    const sum = [...pair('d', 'c'), testNode('Add', 'c_real d_real', 's'), ...pair('s')]
    const { ops, run } = await compiled([...nodes, ...sum], 's_real')
    expect(ops.filter((op) => op.startsWith('quantized'))).toEqual(['quantizedConv2d', 'quantizedConv2d'])
    const actual = await run(x)
    const unfused = await realAnswer([...nodes, ...sum], ['c', 'd', 's'], 's_real', x)
    const steps = actual.map((it, i) => Math.round(Math.abs(it - (unfused[i] as number)) / 0.07))
    expect(Math.max(...steps)).toBeLessThanOrEqual(2)
    expect(steps.filter((it) => it > 0).length).toBeLessThanOrEqual(4)
  })
})

test('maxima and reshapes stay on bytes where the format stays, and only there', async () => {
  scalar('x', 0.025, Uint8Array.of(120))
  scalar('other', 0.05, Uint8Array.of(120))
  const pool = testNode('MaxPool', 'x_real', 'p', { kernel_shape: [2, 2] })
  const same = await compiled([...pair('x'), pool, ...pair('p', 'x')], 'p_real')
  expect(same.ops).toContain('quantizedMaxPool2d')
  const different = await compiled([...pair('x'), pool, ...pair('p', 'other')], 'p_real')
  expect(different.ops).toContain('pool2d')
  expect(different.ops).not.toContain('quantizedMaxPool2d')
  const x = randomFloats(seededRandom(9), 108, 3)
  const real = await realAnswer([...pair('x'), pool, ...pair('p', 'x')], ['p'], 'p_real', x)
  expect(await same.run(x)).toEqual(real)
})

test('a float bias leaves the convolution to real numbers', async () => {
  scalar('x', 0.025, Uint8Array.of(120))
  scalar('y', 0.04, Uint8Array.of(30))
  addFilters(0.025)
  constants.float_bias = { dims: [5], data: Float32Array.of(1, 2, 3, 4, 5) }
  const conv = testNode('Conv', 'x_real w float_bias', 'y', {})
  const { ops } = await compiled([...pair('x'), ...filters, conv, ...pair('y')], 'y_real')
  expect(ops).toContain('conv2d')
  expect(ops).not.toContain('quantizedConv2d')
})
