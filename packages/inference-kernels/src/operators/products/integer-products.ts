// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import { product, requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'
import { multiply } from './multiply.ts'
import { requantizationFactor, requantized } from './requantize.ts'
import { forEachPair, pairStacks, type StackedProduct } from './stacks.ts'

const bytes = ['uint8', 'int8'] as const

/** Whether a quantization parameter of an operand is one, or one per row of A or column of B. A vector has neither. */
function stepsOf(parameter: TensorType | null, { dims }: TensorType, axis: -2 | -1, what: string): 0 | 1 {
  if (parameter === null || product(parameter.dims) === 1) return 0
  const along = dims.length + axis
  const own = parameter.dims
  const isVector = own.length === 1 && own[0] === dims[along]
  const isMatching = own.length === dims.length && own.every((dim, d) => dim === (d === along ? dims[d] : 1))
  if (dims.length < 2 || !(isVector || isMatching))
    mismatch(`${what} has shape ${showDims(own)}, the operand ${showDims(dims)}`)
  return 1
}

/** Elements less their zero point, which steps along rows (A) or columns (B). */
function centered(operand: Operand, zero: Operand | null, axis: -2 | -1, what: string): Float32Array {
  const out = Float32Array.from(operand.data as Int8Array)
  if (zero === null) return out
  const zeros = zero.data as Int8Array
  const isOne = stepsOf(zero, operand, axis, what) === 0
  const columns = operand.dims.at(-1) ?? 1
  for (let row = 0, at = 0; at < out.length; row = (row + 1) % zeros.length) {
    for (let j = 0; j < columns; j++, at++) {
      out[at] = (out[at] as number) - (zeros[isOne ? 0 : axis === -1 ? j : row] as number)
    }
  }
  return out
}

/** (A - zero point) (B - zero point), modulo 2^32. */
function multiplyCentered(
  pairs: StackedProduct,
  [a, aZero]: readonly [Operand, Operand | null],
  [b, bZero]: readonly [Operand, Operand | null],
  out: Int32Array,
): void {
  const x = centered(a, aZero, -2, 'zero point of A')
  const y = centered(b, bZero, -1, 'zero point of B')
  const { sizes } = pairs
  const [rows, inner, columns] = sizes
  forEachPair(pairs, (i, j, o) =>
    multiply(
      { data: x, at: i * rows * inner, row: inner, column: 1 },
      { data: y, at: j * inner * columns, row: columns, column: 1 },
      { data: out, at: o * rows * columns, row: columns },
      sizes,
    ),
  )
}

function requireZero(zero: TensorType | null, operand: TensorType, axis: -2 | -1, what: string): void {
  if (zero !== null) requireSameDtype(operand.dtype, zero.dtype)
  stepsOf(zero, operand, axis, `zero point of ${what}`)
}

/** Product of 8-bit matrices in int32, with zero points of A (one, or one per row) and B (one, or one per column). */
export const matMulInteger = defineOperator({
  name: 'MatMulInteger',
  inputCount: [2, 4],
  infer({ inputs }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    for (const { dtype } of [a, b]) requireDtype(dtype, bytes)
    requireZero(inputs[2] ?? null, a, -2, 'A')
    requireZero(inputs[3] ?? null, b, -1, 'B')
    return [result('int32', pairStacks(a.dims, b.dims).dims)]
  },
  run({ inputs, outputs }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    const out = (outputs[0] as Operand).data as Int32Array
    multiplyCentered(pairStacks(a.dims, b.dims), [a, inputs[2] ?? null], [b, inputs[3] ?? null], out)
  },
})

/**
 * Product of quantized matrices, quantized again. Inputs: A, its scale and zero point, the same of B, and those of the result.
 * Parameters of A and of the result may be one per row, those of B one per column.
 */
export const qLinearMatMul = defineOperator({
  name: 'QLinearMatMul',
  inputCount: [8, 8],
  infer({ inputs }) {
    const [a, aScale, aZero, b, bScale, bZero, scale, zero] = eightOf(inputs)
    for (const { dtype } of [a, b, zero]) requireDtype(dtype, bytes)
    for (const { dtype } of [aScale, bScale, scale]) requireSameDtype('float32', dtype)
    const { dims, stack, sizes } = pairStacks(a.dims, b.dims)
    const whole = { dtype: zero.dtype, dims: [...stack, sizes[0], sizes[2]] }
    requireZero(aZero, a, -2, 'A')
    requireZero(bZero, b, -1, 'B')
    requireZero(zero, whole, -2, 'the result')
    stepsOf(aScale, a, -2, 'scale of A')
    stepsOf(bScale, b, -1, 'scale of B')
    stepsOf(scale, whole, -2, 'scale of the result')
    return [result(zero.dtype, dims)]
  },
  run({ inputs, outputs }) {
    const [a, aScale, aZero, b, bScale, bZero, scale, zero] = eightOf(inputs)
    const out = outputs[0] as Operand
    const pairs = pairStacks(a.dims, b.dims)
    const [rows, , columns] = pairs.sizes
    const sums = new Int32Array(product(out.dims))
    multiplyCentered(pairs, [a, aZero], [b, bZero], sums)
    const scalesA = aScale.data as Float32Array
    const scalesB = bScale.data as Float32Array
    const scales = scale.data as Float32Array
    const zeros = zero.data as Int8Array
    const rowStep = (parameter: Operand) => (parameter.data.length === 1 ? 0 : 1)
    const [stepA, stepB, stepScale, stepZero] = [aScale, bScale, scale, zero].map(rowStep) as [
      number,
      number,
      number,
      number,
    ]
    const [least, most] = out.dtype === 'int8' ? [-128, 127] : [0, 255]
    for (let at = 0, row = 0; at < sums.length; row = (row + 1) % rows) {
      const offset = zeros[row * stepZero] as number
      const [scaleA, own] = [scalesA[row * stepA] as number, scales[row * stepScale] as number]
      for (let j = 0; j < columns; j++, at++) {
        const factor = requantizationFactor(scaleA, scalesB[j * stepB] as number, own)
        const value = requantized(sums[at] as number, factor) + offset
        out.data[at] = (value < least ? least : value > most ? most : value) as never
      }
    }
  },
})

type Eight<T> = [a: T, aScale: T, aZero: T, b: T, bScale: T, bZero: T, scale: T, zero: T]

function eightOf<T>(inputs: readonly (T | null)[]): Eight<T> {
  return Array.from({ length: 8 }, (_, i) => required(inputs, i)) as Eight<T>
}
