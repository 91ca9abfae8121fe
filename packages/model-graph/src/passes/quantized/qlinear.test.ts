// SPDX-License-Identifier: Apache-2.0
// QLinearConv and QLinearMatMul: as steps on bytes, as the pairs of conversions that mean the same, and as operators.
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { describe, expect, test } from 'vitest'
import { compileGraph } from '../../compile/compile.ts'
import { importOnnx } from '../../onnx/import.ts'
import { memoryModelSource } from '../../source/model-source.ts'
import { buildModel, type TestNode, type TestTensor, testNode } from '../../testing/build-model.ts'
import { randomFloats } from '../../testing/random.ts'
import { runCompiled } from '../../testing/run-compiled.ts'

type Byte = 'uint8' | 'int8'
type Constants = Record<string, TestTensor>

const int8 = (dims: readonly number[], data: readonly number[]): TestTensor => ({
  dims,
  data: Int8Array.from(data),
})
const uint8 = (dims: readonly number[], data: readonly number[]): TestTensor => ({
  dims,
  data: Uint8Array.from(data),
  dtype: 'uint8',
})
const bytes = (dtype: Byte, dims: readonly number[], data: readonly number[]) =>
  dtype === 'int8' ? int8(dims, data) : uint8(dims, data)
const floats = (dims: readonly number[], data: readonly number[]): TestTensor => ({
  dims,
  data: Float32Array.from(data),
})

/** @param given constants that are to come from outside instead: nothing is known of their elements beforehand */
async function run(
  nodes: readonly TestNode[],
  constants: Constants,
  x: Tensor,
  output: string,
  given: readonly string[] = [],
) {
  const inputs = { x: x.shape, ...Object.fromEntries(given.map((it) => [it, constants[it]?.dims ?? []])) }
  const kept = Object.fromEntries(Object.entries(constants).filter(([name]) => !given.includes(name)))
  const model = buildModel({ opset: 21, inputs, outputs: { [output]: null }, constants: kept, nodes })
  const compiled = await compileGraph(await importOnnx(memoryModelSource(model)))
  const more = given.map((it): Tensor => {
    const { dims, data } = constants[it] as TestTensor
    return { dtype: 'float32', shape: dims, data: data as Float32Array }
  })
  const [result] = await runCompiled(compiled, [x, ...more], referenceKernels)
  const ops = decodeProgram(compiled.program).steps.map((it) => (it.op === 'operator' ? it.operator : it.op))
  return { ops: ops.filter((op) => op !== 'transpose'), result: result as Tensor }
}

/** Numbers from 0 to `most`, in whole ones. */
const integersOf = (random: () => number, count: number, most: number) =>
  Array.from({ length: count }, () => Math.floor(random() * (most + 1)))

describe.each(['uint8', 'int8'] as const)('a network with activations in %s', (dtype) => {
  const random = seededRandom(11)
  const zero = (value: number) => bytes(dtype, [], [dtype === 'uint8' ? value : value - 128])
  const signed = (dims: readonly number[]) =>
    int8(
      dims,
      integersOf(
        random,
        dims.reduce((a, b) => a * b),
        254,
      ).map((it) => it - 127),
    )
  const scales = (count: number) =>
    floats(
      [count],
      Array.from({ length: count }, () => 0.002 + random() / 100),
    )
  const formats = { x: [0.03, 120], c: [0.06, 40], d: [0.11, 131], s: [0.13, 125], y: [0.6, 110] } as const
  const constants: Constants = {
    w: signed([6, 3, 3, 3]),
    w_scale: scales(6),
    w_zero: int8([6], [0, 0, 0, 0, 0, 0]),
    b: { dims: [6], data: Int32Array.of(-900, 0, 55, 1200, 7, 31) },
    v: uint8([6, 2, 3, 3], integersOf(random, 108, 255)),
    v_scale: floats([], [0.004]),
    v_zero: uint8([], [128]),
    m: signed([96, 7]),
    m_scale: scales(7),
    m_zero: int8([7], [0, 0, 0, 0, 0, 0, 0]),
  }
  for (const [name, [scale, point]] of Object.entries(formats)) {
    constants[`${name}_scale`] = floats([], [scale])
    constants[`${name}_zero`] = zero(point)
  }
  constants.b_scale = floats(
    [6],
    Array.from(constants.w_scale?.data as Float32Array, (it) => Math.fround(0.03) * it),
  )
  const pool = { kernel_shape: [2, 2], strides: [2, 2] }
  const same = { pads: [1, 1, 1, 1] }
  const quantized = (value: string, format: string) =>
    testNode('QuantizeLinear', `${value} ${format}_scale ${format}_zero`, `${value}_bytes`)
  const real = (value: string, format: string) =>
    testNode('DequantizeLinear', `${value} ${format}_scale ${format}_zero`, `${value}_real`)
  const sum = [testNode('Add', 'p_real d_real', 's'), quantized('s', 's')]
  const linear = [
    quantized('x', 'x'),
    testNode('QLinearConv', 'x_bytes x_scale x_zero w w_scale w_zero c_scale c_zero b', 'c', same),
    testNode('MaxPool', 'c', 'p', pool),
    testNode('QLinearConv', 'p c_scale c_zero v v_scale v_zero d_scale d_zero', 'd', { ...same, group: 3 }),
    real('p', 'c'),
    real('d', 'd'),
    ...sum,
    testNode('Flatten', 's_bytes', 'f'),
    testNode('QLinearMatMul', 'f s_scale s_zero m m_scale m_zero y_scale y_zero', 'y'),
    real('y', 'y'),
  ]
  const pairs = [
    quantized('x', 'x'),
    real('x_bytes', 'x'),
    testNode('DequantizeLinear', 'w w_scale w_zero', 'w_real', { axis: 0 }),
    testNode('DequantizeLinear', 'b b_scale', 'b_real', { axis: 0 }),
    testNode('Conv', 'x_bytes_real w_real b_real', 'c', same),
    quantized('c', 'c'),
    real('c_bytes', 'c'),
    testNode('MaxPool', 'c_bytes_real', 'p', pool),
    quantized('p', 'c'),
    testNode('DequantizeLinear', 'p_bytes c_scale c_zero', 'p_real'),
    real('v', 'v'),
    testNode('Conv', 'p_real v_real', 'd', { ...same, group: 3 }),
    quantized('d', 'd'),
    testNode('DequantizeLinear', 'd_bytes d_scale d_zero', 'd_real'),
    ...sum,
    real('s_bytes', 's'),
    testNode('Flatten', 's_bytes_real', 'f'),
    quantized('f', 's'),
    real('f_bytes', 's'),
    testNode('DequantizeLinear', 'm m_scale m_zero', 'm_real', { axis: 1 }),
    testNode('MatMul', 'f_bytes_real m_real', 'y'),
    quantized('y', 'y'),
    testNode('DequantizeLinear', 'y_bytes y_scale y_zero', 'y_real'),
  ]
  const x: Tensor = { dtype: 'float32', shape: [2, 3, 8, 8], data: randomFloats(seededRandom(8), 384, 3) }

  test('is the same steps as its pairs of conversions, and gives the same bytes', async () => {
    const own = await run(linear, constants, x, 'y_real')
    expect(own.ops).toEqual([
      'quantize',
      'quantizedConv2d',
      'quantizedMaxPool2d',
      'quantizedConv2d',
      'quantizedDense',
      'dequantize',
    ])
    const other = await run(pairs, constants, x, 'y_real')
    expect(other.ops).toEqual(own.ops)
    expect(new Set(own.result.data as Float32Array).size).toBeGreaterThan(10)
    expect(own.result).toEqual(other.result)
  })

  test('gives the same bytes by the operators', async () => {
    const own = await run(linear, constants, x, 'y_real')
    const operators = await run(linear, constants, x, 'y_real', ['w_scale', 'v_scale', 'm_scale'])
    expect(operators.ops.filter((op) => op.startsWith('QLinear'))).toEqual([
      'QLinearConv',
      'QLinearConv',
      'QLinearMatMul',
    ])
    expect(operators.result).toEqual(own.result)
  })
})

test('convolutions of many shapes give the same bytes by the step and by the operator', async () => {
  const random = seededRandom(5)
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(...from: readonly T[]): T => from[below(from.length)] as T
  for (let round = 0; round < 60; round++) {
    const [xType, wType, yType] = [
      pick<Byte>('uint8', 'int8'),
      pick<Byte>('uint8', 'int8'),
      pick<Byte>('uint8', 'int8'),
    ]
    const group = pick(1, 1, 2, 3)
    const [inputs, filters] = [1 + below(5), (1 + below(6)) * group]
    const [height, width] = [1 + below(3), 1 + below(3)]
    const isPerFilter = random() < 0.5
    const scaleDims = isPerFilter ? [filters] : []
    const scaleCount = isPerFilter ? filters : 1
    const wCount = filters * inputs * height * width
    // int8 with zero points stays within int8 where it uses half of the range, as does uint8 around 128.
    const weights = integersOf(random, wCount, 127).map((it) => (wType === 'int8' ? it - 64 : it + 64))
    const wZero = integersOf(random, scaleCount, 20).map((it) => (wType === 'int8' ? it : it + 118))
    const constants: Constants = {
      x_scale: floats([], [0.02 + random() / 10]),
      x_zero: bytes(xType, [], [xType === 'int8' ? below(256) - 128 : below(256)]),
      w: bytes(wType, [filters, inputs, height, width], weights),
      w_scale: floats(
        scaleDims,
        integersOf(random, scaleCount, 100).map((it) => 0.001 + it / 10_000),
      ),
      w_zero: bytes(wType, scaleDims, wZero),
      y_scale: floats([], [0.05 + random() / 5]),
      y_zero: bytes(yType, [], [yType === 'int8' ? below(256) - 128 : below(256)]),
      b: { dims: [filters], data: Int32Array.from(integersOf(random, filters, 4000), (it) => it - 2000) },
    }
    const isBiased = random() < 0.7
    const attributes = {
      group,
      strides: [1 + below(2), 1 + below(2)],
      dilations: [1 + below(2), 1 + below(2)],
      ...(random() < 0.5
        ? { auto_pad: pick('SAME_UPPER', 'SAME_LOWER', 'VALID') }
        : { pads: [below(2), below(2), below(2), below(2)] }),
    }
    const operands = `q x_scale x_zero w w_scale w_zero y_scale y_zero${isBiased ? ' b' : ''}`
    const nodes = [
      testNode('QuantizeLinear', 'x x_scale x_zero', 'q'),
      testNode('QLinearConv', operands, 'y', attributes),
      testNode('DequantizeLinear', 'y y_scale y_zero', 'y_real'),
    ]
    const shape = [1 + below(2), inputs * group, 5 + below(4), 5 + below(4)]
    const data = randomFloats(
      random,
      shape.reduce((a, b) => a * b),
      6,
    )
    const x: Tensor = { dtype: 'float32', shape, data }
    const step = await run(nodes, constants, x, 'y_real')
    const operator = await run(nodes, constants, x, 'y_real', ['w_scale'])
    expect([step.ops, operator.ops.includes('QLinearConv')]).toEqual([
      ['quantize', 'quantizedConv2d', 'dequantize'],
      true,
    ])
    expect(step.result).toEqual(operator.result)
  }
})

describe('what the steps cannot express stays on the operator', () => {
  const constants: Constants = {
    scale: floats([], [0.05]),
    zero: uint8([], [100]),
    w: int8([4, 3], [-128, 127, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    w_scale: floats([], [0.01]),
    w_zero: int8([], [0]),
  }
  const x: Tensor = { dtype: 'float32', shape: [2, 4], data: randomFloats(seededRandom(2), 8, 3) }
  const nodes = (product: string, ...more: readonly TestNode[]) => [
    testNode('QuantizeLinear', 'x scale zero', 'q'),
    testNode('QLinearMatMul', product, 'y'),
    ...more,
  ]
  const opsOf = async (own: Constants, product: string, given: readonly string[] = []) => {
    const last = testNode('DequantizeLinear', 'y scale zero', 'z')
    return (await run(nodes(product, last), { ...constants, ...own }, x, 'z', given)).ops
  }
  const product = 'q scale zero w w_scale w_zero scale zero'

  test('but for what they can', async () => {
    expect(await opsOf({}, product)).toContain('quantizedDense')
  })

  test.each<readonly [string, Constants, string]>([
    ['a scale for each row', { each: floats([2], [0.05, 0.06]) }, 'q each zero w w_scale w_zero scale zero'],
    ['weights that leave int8', { w_zero: int8([], [1]) }, product],
    ['a scale of no model', { tiny: floats([], [1e-38]) }, 'q scale zero w w_scale w_zero tiny zero'],
    [
      'a multiplier that float32 has no room for',
      { w_scale: floats([], [3e38]), big: floats([], [1e29]) },
      'q big zero w w_scale w_zero scale zero',
    ],
  ])('%s', async (_what, own, operands) => {
    const ops = await opsOf(own, operands)
    expect(ops).toContain('QLinearMatMul')
    expect(ops).not.toContain('quantizedDense')
  })

  test('int8 that another operator reads, and what comes before it', async () => {
    const signedZero = { zero: int8([], [-28]) }
    const more = [
      testNode('QLinearMatMul', 'y scale zero v w_scale w_zero scale zero', 'v_bytes'),
      testNode('Cast', 'v_bytes', 'z', { to: 1 }),
    ]
    const own = { ...constants, ...signedZero, v: int8([3, 2], [1, 2, 3, 4, 5, 6]) }
    const { ops } = await run(nodes(product, ...more), own, x, 'z')
    expect(ops.filter((op) => op !== 'Cast')).toEqual(['QuantizeLinear', 'QLinearMatMul', 'QLinearMatMul'])
  })
})
