// SPDX-License-Identifier: Apache-2.0
import { dotOf, type Estimate, exactly, magnitude, productOf, sumOf } from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import { type Generator, type GraphWriter, isFloat, type KnownValue } from '../graph-writer.ts'
import { tensorOf } from '../tensors.ts'
import { broadcastDims } from './shapes.ts'

const isSmall = ({ estimate }: KnownValue) => magnitude(estimate) <= 1000

/** Sizes around the widths of panels and tiles. */
const width = (w: GraphWriter) => w.random.pick([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33])

const matmul: Generator = {
  op: 'MatMul',
  weight: 3,
  add: (w) => {
    const x = w.value('float32', [1, 4], isSmall)
    const k = x.dims.at(-1) as number
    const batch = x.dims.length > 2 && w.random.chance(0.4) ? w.broadcastable(x.dims.slice(0, -2)) : []
    const isVector = w.random.chance(0.1)
    const n = width(w)
    const b = w.operand('float32', isVector ? [k] : [...batch, k, n])
    const outer =
      x.dims.length === 1 ? batch : [...broadcastDims(x.dims.slice(0, -2), batch), x.dims.at(-2) as number]
    const dims = isVector ? x.dims.slice(0, -1) : [...outer, n]
    return w.add('MatMul', [x, b], {}, { dtype: 'float32', dims, estimate: dotOf(x.estimate, b.estimate, k) })
  },
}

/** Both operands come from the graph. */
const inner: Generator = {
  op: 'MatMul',
  add: (w) => {
    const a = w.find((it) => isFloat(it) && it.dims.length >= 2 && isSmall(it))
    if (a === null) return false
    const b = w.find(
      (it) => isFloat(it) && isSmall(it) && it.dims.length === 2 && it.dims[0] === a.dims.at(-1),
    )
    if (b === null) return false
    const dims = [...a.dims.slice(0, -1), b.dims[1] as number]
    return w.add(
      'MatMul',
      [a, b],
      {},
      { dtype: 'float32', dims, estimate: dotOf(a.estimate, b.estimate, a.dims.at(-1) as number) },
    )
  },
}

const gemm: Generator = {
  op: 'Gemm',
  weight: 2,
  add: (w) => {
    const a = w.value('float32', [2, 2], isSmall)
    const [transA, transB] = [w.random.below(2), w.random.below(2)]
    const [m, k] = (transA ? [...a.dims].reverse() : a.dims) as [number, number]
    const n = width(w)
    const b = w.operand('float32', transB ? [n, k] : [k, n])
    const c = w.random.pick([[n], [1, n], [m, n], [m, 1], [1], []])
    const hasC = w.opset < 11 || w.random.chance(0.8)
    const alpha = w.random.pick([1, 1, 0.5, 2])
    const beta = w.random.pick([1, 1, 0.5, 0])
    const operands = [a, b, ...(hasC ? [w.operand('float32', c)] : [])]
    const scaled = productOf(dotOf(a.estimate, b.estimate, k), exactly(alpha, alpha, 1))
    const added =
      operands[2] === undefined ? exactly(0, 0) : productOf(operands[2].estimate, exactly(0, 1, 1))
    const attributes = { alpha: { float: alpha }, beta: { float: beta }, transA, transB }
    return w.add('Gemm', operands, attributes, {
      dtype: 'float32',
      dims: [m, n],
      estimate: sumOf(scaled, added),
    })
  },
}

const equations = [
  { equation: 'ij,jk->ik', shapes: ['ij', 'jk'], summed: 'j', result: 'ik' },
  { equation: 'bij,bjk->bik', shapes: ['bij', 'bjk'], summed: 'j', result: 'bik' },
  { equation: 'bhid,bhjd->bhij', shapes: ['bhid', 'bhjd'], summed: 'd', result: 'bhij' },
  { equation: 'ij->ji', shapes: ['ij'], summed: '', result: 'ji' },
  { equation: 'ij,ij->', shapes: ['ij', 'ij'], summed: 'ij', result: '' },
  { equation: 'i,j->ij', shapes: ['i', 'j'], summed: '', result: 'ij' },
  { equation: 'bij->b', shapes: ['bij'], summed: 'ij', result: 'b' },
] as const

const einsum: Generator = {
  op: 'Einsum',
  since: 12,
  weight: 0.6,
  add: (w) => {
    const { equation, shapes, summed, result } = w.random.pick(equations)
    const sizes = new Map([...'bhidjk'].map((letter) => [letter, w.dims(1)[0] as number]))
    const sizesOf = (letters: string) => [...letters].map((it) => sizes.get(it) as number)
    const [a, b] = shapes.map((letters) => w.operand('float32', sizesOf(letters))) as [
      KnownValue,
      KnownValue?,
    ]
    const count = sizesOf(summed).reduce((x, y) => x * y, 1)
    const estimate: Estimate = dotOf(a.estimate, b?.estimate ?? exactly(1, 1), count)
    const operands = b === undefined ? [a] : [a, b]
    return w.add('Einsum', operands, { equation }, { dtype: 'float32', dims: sizesOf(result), estimate })
  },
}

const integers: Generator = {
  op: 'MatMulInteger',
  since: 10,
  weight: 0.6,
  add: (w) => {
    const [m, k, n] = [width(w), width(w), width(w)]
    const a = w.operand('uint8', [m, k])
    const b = w.operand(w.random.pick(['uint8', 'int8'] as const), [k, n])
    const inputs: (KnownValue | string)[] = [a, b]
    if (w.random.chance(0.5)) inputs.push(w.setting([w.random.below(5)], [], 'uint8'))
    const estimate = exactly(-k * 400, k * 400)
    return w.add('MatMulInteger', inputs, {}, { dtype: 'int32', dims: [m, n], estimate })
  },
}

/** ONNX's quantization of a float: scales of a power of two make it exact, but for where halves are rounded. */
const quantize: Generator = {
  op: 'QuantizeLinear',
  since: 10,
  weight: 0.6,
  add: (w) => {
    const x = w.value('float32', [1, 4], ({ estimate }) => estimate.grid !== null)
    const dtype = w.random.pick(['uint8', 'int8'] as const)
    const zero = w.setting([w.random.between(0, 20)], [], dtype)
    const estimate = dtype === 'uint8' ? exactly(0, 255) : exactly(-128, 127)
    return w.add(
      'QuantizeLinear',
      [x, w.scalar(w.random.pick([0.5, 0.25, 1])), zero],
      {},
      { dtype, dims: x.dims, estimate },
    )
  },
}

const dequantize: Generator = {
  op: 'DequantizeLinear',
  since: 10,
  weight: 0.6,
  add: (w) => {
    const x = w.value(w.random.pick(['uint8', 'int8'] as const), [1, 4])
    const most = magnitude(x.estimate) + 20
    const attributes: Record<string, FuzzAttribute> = {}
    let scale = w.scalar(w.random.pick([0.5, 0.25, 1]))
    let zero = w.setting([w.random.between(0, 20)], [], x.dtype)
    if (w.opset >= 13 && w.random.chance(0.5)) {
      const axis = w.random.below(x.dims.length)
      attributes.axis = axis
      scale = w.operand('float32', [x.dims[axis] as number], { low: 1, high: 8, grid: 2 }).name
      zero = w.operand(x.dtype, [x.dims[axis] as number], { low: 0, high: 20 }).name
    }
    return w.add('DequantizeLinear', [x, scale, zero], attributes, {
      dtype: 'float32',
      dims: x.dims,
      estimate: exactly(-2 * most, 2 * most, 2),
    })
  },
}

const dynamicQuantize: Generator = {
  op: 'DynamicQuantizeLinear',
  since: 11,
  weight: 0.3,
  add: (w) => {
    // Elements from 0 to 255/8, both of which are there, have a scale of 1/8: nothing is rounded.
    const others = Array.from({ length: w.random.between(0, 20) }, () => w.random.below(256))
    const elements = [0, 255, ...others].map((it) => it / 8)
    const x = w.input(tensorOf('float32', [elements.length], elements), exactly(0, 32, 3))
    return w.add(
      'DynamicQuantizeLinear',
      [x],
      {},
      { dtype: 'uint8', dims: x.dims, estimate: exactly(0, 255) },
      { dtype: 'float32', dims: [], estimate: exactly(0, 1, 3) },
      { dtype: 'uint8', dims: [], estimate: exactly(0, 255) },
    )
  },
}

export const productGenerators: readonly Generator[] = [
  matmul,
  inner,
  gemm,
  einsum,
  integers,
  quantize,
  dequantize,
  dynamicQuantize,
]
