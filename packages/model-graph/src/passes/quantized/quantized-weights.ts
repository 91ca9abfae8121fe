// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type { QuantizedColumn } from '@mlcapsule/inference-kernels/program'
import { type ConstantTensor, derivedConstant, transposedConstant } from '../../graph/constant.ts'
import { type QuantizedOrigin, quantizedOriginOf } from '../../graph/dequantized.ts'
import type { QuantizedWeights } from '../../graph/graph.ts'
import type { LinearNode } from '../channel-vector.ts'
import type { ByteFormat } from './byte-format.ts'

const { fround } = Math

/** Rows of weights, one per column of the result, and what their integers mean. */
interface Rows {
  readonly integers: ConstantTensor
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
}

/** The integers behind the weights of a step, with the columns of its result outermost. */
function rowsOf(node: LinearNode): Rows | null {
  const constant = node.inputs[1]?.constant ?? null
  if (constant === null) return null
  const isMatrix = node.op === 'dense'
  const own = quantizedOriginOf(constant)
  const turned = constant.transposeOf === null ? null : quantizedOriginOf(constant.transposeOf)
  const origin: QuantizedOrigin | null = own ?? turned
  if (origin === null || (origin.integers.dtype !== 'int8' && origin.integers.dtype !== 'uint8')) return null
  const isTurned = own === null
  // Columns are the first dimension of filters and of a matrix that the product transposes.
  const axis = isMatrix && !isTurned ? 1 : 0
  if (origin.scales.length !== 1 && origin.axis !== axis) return null
  const integers = axis === 1 ? transposedConstant(origin.integers, [1, 0]) : origin.integers
  return { integers, scales: origin.scales, zeroPoints: origin.zeroPoints }
}

/** The bias in units of the sums; null where it is not made of such integers. */
async function biasesOf(node: LinearNode, units: readonly number[]): Promise<readonly number[] | null> {
  const constant = node.inputs[2]?.constant ?? null
  if (node.inputs[2] == null) return units.map(() => 0)
  const origin = constant === null ? null : quantizedOriginOf(constant)
  if (origin === null || origin.integers.dtype !== 'int32' || origin.zeroPoints.some((it) => it !== 0))
    return null
  const count = elementCount(origin.integers.dims)
  if (count !== units.length) return null
  const isFit = units.every((unit, n) => {
    const scale = origin.scales[origin.scales.length === 1 ? 0 : n] as number
    return Math.abs(scale - unit) <= 1e-5 * unit
  })
  return isFit ? Array.from((await origin.integers.read(0, count)) as Int32Array) : null
}

/** The same integers less their zero points, as int8. */
function centered({ integers, zeroPoints }: Rows): ConstantTensor {
  const innerCount = elementCount(integers.dims.slice(1))
  return derivedConstant(integers, {
    dtype: 'int8',
    dims: integers.dims,
    splat: null,
    async read(start, count) {
      const from = await integers.read(start, count)
      return Int8Array.from({ length: count }, (_, i) => {
        const row = zeroPoints.length === 1 ? 0 : Math.floor((start + i) / innerCount)
        return Number(from[i]) - (zeroPoints[row] ?? 0)
      })
    },
  })
}

/** Sum of each row's integers less their zero point; null where one of those is no int8. */
async function rowSums({ integers, zeroPoints }: Rows): Promise<readonly number[] | null> {
  const rowCount = integers.dims[0] as number
  const innerCount = elementCount(integers.dims.slice(1))
  const sums: number[] = []
  for (let row = 0; row < rowCount; row++) {
    const zero = zeroPoints[zeroPoints.length === 1 ? 0 : row] ?? 0
    let sum = 0
    for (const integer of (await integers.read(row * innerCount, innerCount)) as Int8Array) {
      const value = integer - zero
      if (value < -128 || value > 127) return null
      sum += value
    }
    sums.push(sum)
  }
  return sums
}

/**
 * The weights and biases of a step as integers with multipliers; null where they are none, or where a sum could leave int32.
 */
export async function quantizedWeightsOf(
  node: LinearNode,
  input: ByteFormat,
  result: ByteFormat,
): Promise<QuantizedWeights | null> {
  const rows = rowsOf(node)
  if (rows === null) return null
  const { integers, scales } = rows
  const rowCount = integers.dims[0] as number
  const innerCount = elementCount(integers.dims.slice(1))
  const units = Array.from({ length: rowCount }, (_, n) =>
    fround(input.scale * (scales[scales.length === 1 ? 0 : n] as number)),
  )
  const biases = await biasesOf(node, units)
  const sums = biases === null ? null : await rowSums(rows)
  if (biases === null || sums === null) return null
  if (biases.some((bias) => 255 * 128 * innerCount + Math.abs(bias) >= 2 ** 31)) return null
  const columns = units.map(
    (unit, n): QuantizedColumn => ({
      bias: (biases[n] as number) - input.zero * (sums[n] as number),
      multiplier: fround(unit / result.scale),
    }),
  )
  return { rows: centered(rows), columns }
}
