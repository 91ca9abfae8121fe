// SPDX-License-Identifier: Apache-2.0
// Convolutions and products of quantized numbers: their sums are exact, and become bytes again by three roundings to float32.
import { exactly } from '../estimate.ts'
import type { Generator, GraphWriter, KnownValue } from '../graph-writer.ts'
import { product } from './shapes.ts'
import { slide } from './windows.ts'

type Byte = 'uint8' | 'int8'

const wholeRange = { uint8: { low: 0, high: 255 }, int8: { low: -128, high: 127 } } as const

/** int8 goes with weights of int8 alone in other runtimes. */
function dtypes(w: GraphWriter): readonly [activations: Byte, weights: Byte] {
  const activations = w.random.pick<Byte>(['uint8', 'uint8', 'int8'])
  return [activations, activations === 'int8' ? 'int8' : w.random.pick<Byte>(['uint8', 'int8'])]
}

/** Bytes that there are, or new ones. */
function activations(
  w: GraphWriter,
  dtype: Byte,
  ranks: readonly number[],
  fresh: readonly number[],
): KnownValue {
  const found = w.random.chance(0.7)
    ? w.find((it) => it.dtype === dtype && ranks.includes(it.dims.length))
    : null
  return found ?? w.fresh(dtype, fresh, wholeRange[dtype])
}

/** Scale and zero point of a whole tensor. @param scale in units of 2^-12 */
function format(w: GraphWriter, dtype: Byte, scale: number): readonly KnownValue[] {
  const zero = w.random.between(40, 200) + wholeRange[dtype].low
  return [
    w.operand('float32', [], { low: scale, high: 2 * scale, grid: 12 }),
    w.operand(dtype, [], { low: zero, high: zero }),
  ]
}

/** Weights that are int8 less their zero point, with one scale for all or one for each of `count`. */
function weights(w: GraphWriter, dtype: Byte, dims: readonly number[], count: number): readonly KnownValue[] {
  const zero = dtype === 'uint8' ? 128 : 0
  const own = w.random.chance(0.5) ? [count] : []
  return [
    w.operand(dtype, dims, wholeRange[dtype]),
    w.operand('float32', own, { low: 1, high: 40, grid: 12 }),
    w.operand(dtype, own, { low: zero, high: zero }),
  ]
}

const resultOf = (dtype: Byte, dims: readonly number[]) => {
  const { low, high } = wholeRange[dtype]
  return { dtype, dims, estimate: exactly(low, high) }
}

const convolution: Generator = {
  op: 'QLinearConv',
  since: 10,
  add: (w) => {
    const [dtype, weightDtype] = dtypes(w)
    const size = () => w.random.between(1, 8)
    const channels = w.random.pick([1, 2, 3, 4, 8, 17])
    const x = activations(w, dtype, [4], [w.random.between(1, 2), channels, size(), size()])
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: true, ceil: false, mayBeEmpty: true })
    if (window === null) return false
    const group = w.random.pick([1, 1, c, 2].filter((it) => c % it === 0))
    const filterCount = group * w.random.pick([1, 1, 2, 3, 17])
    const dims = [filterCount, c / group, ...window.kernel]
    const innerCount = product(dims.slice(1))
    const operands = [
      x,
      ...format(w, dtype, 100),
      ...weights(w, weightDtype, dims, filterCount),
      ...format(w, dtype, 100 * Math.ceil(Math.sqrt(innerCount))),
      ...(w.random.chance(0.5) ? [w.operand('int32', [filterCount], { low: -5000, high: 5000 })] : []),
    ]
    const attributes = { ...window.attributes, group }
    return w.add('QLinearConv', operands, attributes, resultOf(dtype, [n, filterCount, ...window.output]))
  },
}

const matrices: Generator = {
  op: 'QLinearMatMul',
  since: 10,
  weight: 0.6,
  add: (w) => {
    const [dtype, weightDtype] = dtypes(w)
    const size = () => w.random.pick([1, 2, 3, 5, 8, 17, 33])
    const a = activations(w, dtype, [2, 3, 4], [size(), size()])
    const [innerCount, columnCount] = [a.dims.at(-1) as number, size()]
    const operands = [
      a,
      ...format(w, dtype, 100),
      ...weights(w, weightDtype, [innerCount, columnCount], columnCount),
      ...format(w, dtype, 100 * Math.ceil(Math.sqrt(innerCount))),
    ]
    const dims = [...a.dims.slice(0, -1), columnCount]
    return w.add('QLinearMatMul', operands, {}, resultOf(dtype, dims))
  },
}

const maxPool: Generator = {
  op: 'MaxPool',
  since: 12,
  weight: 0.4,
  add: (w) => {
    const dtype = w.random.pick<Byte>(['uint8', 'int8'])
    const x = w.find((it) => it.dtype === dtype && it.dims.length === 4)
    if (x === null) return false
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: true, ceil: true, mayBeEmpty: false })
    if (window === null) return false
    return w.add('MaxPool', [x], window.attributes, { ...x, dims: [n, c, ...window.output] })
  },
}

export const quantizedGenerators: readonly Generator[] = [convolution, matrices, maxPool]
