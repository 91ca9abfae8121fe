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
export interface QuantizedRows {
  /** int8 or uint8, [outC, inC/groups, kH, kW] or [N, K] */
  readonly integers: ConstantTensor
  /** One for all rows, or one for each. */
  readonly scales: readonly number[]
  /** As many, or none: 0. */
  readonly zeroPoints: readonly number[]
}

/** The integers behind the weights of a step, with the columns of its result outermost. */
function rowsOf(node: LinearNode): QuantizedRows | null {
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
function centered({ integers, zeroPoints }: QuantizedRows): ConstantTensor {
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
async function rowSums({ integers, zeroPoints }: QuantizedRows): Promise<readonly number[] | null> {
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

/** What one sum of each row stands for. */
function unitsOf({ integers, scales }: QuantizedRows, input: ByteFormat): readonly number[] {
  return Array.from({ length: integers.dims[0] as number }, (_, n) =>
    fround(input.scale * (scales[scales.length === 1 ? 0 : n] as number)),
  )
}

/**
 * Rows and biases as integers with multipliers; null where a row is none of int8, a sum could leave int32, or a multiplier
 * float32.
 * @param biases one for each row, in units of its sums
 */
export async function quantizedWeights(
  rows: QuantizedRows,
  biases: readonly number[],
  input: ByteFormat,
  result: ByteFormat,
): Promise<QuantizedWeights | null> {
  const innerCount = elementCount(rows.integers.dims.slice(1))
  if (biases.some((bias) => 255 * 128 * innerCount + Math.abs(bias) >= 2 ** 31)) return null
  const multipliers = unitsOf(rows, input).map((unit) => fround(unit / result.scale))
  if (!multipliers.every(Number.isFinite)) return null
  const sums = await rowSums(rows)
  if (sums === null) return null
  const columns = multipliers.map(
    (multiplier, n): QuantizedColumn => ({
      bias: (biases[n] as number) - input.zero * (sums[n] as number),
      multiplier,
    }),
  )
  return { rows: centered(rows), columns }
}

/** The weights and biases of a step on real numbers that are made of integers; null where they are not, or too large. */
export async function quantizedWeightsOf(
  node: LinearNode,
  input: ByteFormat,
  result: ByteFormat,
): Promise<QuantizedWeights | null> {
  const rows = rowsOf(node)
  const biases = rows === null ? null : await biasesOf(node, unitsOf(rows, input))
  return rows === null || biases === null ? null : quantizedWeights(rows, biases, input, result)
}
