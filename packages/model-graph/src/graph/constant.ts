// SPDX-License-Identifier: Apache-2.0
import {
  copyBytes,
  type DType,
  elementCount,
  elementSizeBytes,
  type TensorData,
  viewTensorData,
} from '@mlcapsule/contracts'
import { ModelError } from '../errors.ts'
import { modelLimits } from '../limits.ts'
import { type ModelSource, readExactly } from '../source/model-source.ts'

/**
 * A constant tensor whose elements are produced on demand, so that a model's weights are never in memory whole.
 * Elements count in row-major order of `dims`.
 */
export interface ConstantTensor {
  readonly dtype: DType
  readonly dims: readonly number[]
  /** The value of every element, where all are the same: such a tensor costs nothing to hold. */
  readonly splat: number | bigint | null
  /** Set on a transposed 2-D tensor: the tensor it was, whose rows are this one's columns. */
  readonly transposeOf: ConstantTensor | null
  /** `count` elements from element `start` on, in memory of their own. */
  read(start: number, count: number): Promise<TensorData>
}

export function newTensorData(dtype: DType, count: number): TensorData {
  return viewTensorData(dtype, new ArrayBuffer(count * elementSizeBytes(dtype)), 0, count)
}

/** Elements that are in memory. */
export function inlineConstant(dtype: DType, dims: readonly number[], data: TensorData): ConstantTensor {
  return {
    dtype,
    dims,
    splat: data.length === 1 ? (data[0] ?? null) : null,
    transposeOf: null,
    read: async (start, count) => data.slice(start, start + count),
  }
}

/** Elements that lie in a file, little-endian, one after another. */
export function sourceConstant(
  dtype: DType,
  dims: readonly number[],
  source: ModelSource,
  offsetBytes: number,
): ConstantTensor {
  const sizeBytes = elementSizeBytes(dtype)
  return {
    dtype,
    dims,
    splat: null,
    transposeOf: null,
    async read(start, count) {
      const bytes = await readExactly(source, offsetBytes + start * sizeBytes, count * sizeBytes)
      // A source may give a view at any offset; a typed array needs an aligned one.
      const aligned = bytes.byteOffset % sizeBytes === 0 ? bytes : copyBytes(bytes)
      return viewTensorData(dtype, aligned.buffer, aligned.byteOffset, count)
    },
  }
}

export function splatConstant(dtype: DType, dims: readonly number[], value: number | bigint): ConstantTensor {
  return {
    dtype,
    dims,
    splat: value,
    transposeOf: null,
    async read(_start, count) {
      const data = newTensorData(dtype, count)
      if (value !== 0n && !Object.is(value, 0)) (data as Float32Array).fill(value as number)
      return data
    },
  }
}

/** How many constants stand between each one that is computed as it is read and elements that are there. */
const depths = new WeakMap<ConstantTensor['read'], number>()

/**
 * A constant that is computed from another one as it is read.
 * @throws ModelError `MODEL_TOO_LARGE` for one of a long chain, since all of it is gone through with every read
 */
export function derivedConstant(
  from: ConstantTensor,
  parts: Omit<ConstantTensor, 'transposeOf'> & Partial<Pick<ConstantTensor, 'transposeOf'>>,
): ConstantTensor {
  const depth = 1 + (depths.get(from.read) ?? 0)
  if (depth > modelLimits.constantDepth) {
    const detail = `a constant is computed from another one, and so on, more than ${modelLimits.constantDepth} times`
    throw new ModelError('MODEL_TOO_LARGE', detail)
  }
  depths.set(parts.read, depth)
  return { transposeOf: null, ...parts }
}

/** Elements that are computed when they are first read, and then stay in memory. */
export function assembledConstant(
  dtype: DType,
  dims: readonly number[],
  compute: () => Promise<TensorData>,
): ConstantTensor {
  let whole: Promise<TensorData> | undefined
  return {
    dtype,
    dims,
    splat: null,
    transposeOf: null,
    async read(start, count) {
      whole ??= compute()
      return (await whole).slice(start, start + count)
    },
  }
}

/** The same elements under other dimensions. */
export function reshapedConstant(constant: ConstantTensor, dims: readonly number[]): ConstantTensor {
  if (dims.length === constant.dims.length && dims.every((dim, d) => dim === constant.dims[d]))
    return constant
  return { ...constant, dims, transposeOf: null }
}

interface Scaling {
  readonly constant: ConstantTensor
  readonly axis: number
  readonly factors: Float64Array
}

/** What a scaled constant was before, so that scaling it again takes one product more and no walk more. */
const scalings = new WeakMap<ConstantTensor, Scaling>()

/** Each slice along `axis` times its factor, computed in float64. float32 only. */
export function scaledConstant(
  constant: ConstantTensor,
  axis: number,
  factors: Float64Array,
): ConstantTensor {
  const { dims, transposeOf } = constant
  // The rows of the original are the columns here: scale there, so that the transpose stays free.
  if (transposeOf !== null) return transposedConstant(scaledConstant(transposeOf, 1 - axis, factors), [1, 0])
  const before = scalings.get(constant)
  if (before?.axis === axis) {
    const both = factors.map((it, i) => it * (before.factors[i] as number))
    return scaledConstant(before.constant, axis, both)
  }
  const isUniform = factors.every((it) => it === factors[0])
  if (isUniform && typeof constant.splat === 'number') {
    return splatConstant('float32', dims, Math.fround(constant.splat * (factors[0] ?? 1)))
  }
  const innerCount = elementCount(dims.slice(axis + 1))
  const scaled = derivedConstant(constant, {
    dtype: 'float32',
    dims,
    splat: null,
    async read(start, count) {
      const data = (await constant.read(start, count)) as Float32Array
      for (let i = 0; i < count; i++) {
        const slice = Math.floor((start + i) / innerCount) % factors.length
        data[i] = (data[i] as number) * (factors[slice] as number)
      }
      return data
    },
  })
  scalings.set(scaled, { constant, axis, factors })
  return scaled
}

/** A constant in memory whole. @throws ModelError `MODEL_TOO_LARGE` beyond `modelLimits.wholeConstantSizeBytes` */
export async function readWhole(constant: ConstantTensor): Promise<TensorData> {
  const count = elementCount(constant.dims)
  const sizeBytes = count * elementSizeBytes(constant.dtype)
  if (sizeBytes > modelLimits.wholeConstantSizeBytes) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `a constant of ${sizeBytes} bytes would have to be rearranged in memory`,
    )
  }
  return constant.read(0, count)
}

/** Index of each output element's source, for a permutation of dimensions. */
export function permuteElements(
  data: TensorData,
  dtype: DType,
  dims: readonly number[],
  permutation: readonly number[],
): TensorData {
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)))
  const outDims = permutation.map((axis) => dims[axis] as number)
  const outStrides = permutation.map((axis) => strides[axis] as number)
  const out = newTensorData(dtype, data.length)
  const index = new Array<number>(dims.length).fill(0)
  let from = 0
  for (let to = 0; to < out.length; to++) {
    ;(out as Float32Array)[to] = data[from] as number
    for (let axis = outDims.length - 1; axis >= 0; axis--) {
      from += outStrides[axis] as number
      index[axis] = (index[axis] as number) + 1
      if ((index[axis] as number) < (outDims[axis] as number)) break
      from -= (outStrides[axis] as number) * (outDims[axis] as number)
      index[axis] = 0
    }
  }
  return out
}

/** What a transposed constant was before, so that transposing it again is one transpose still. */
const transpositions = new WeakMap<
  ConstantTensor,
  { readonly constant: ConstantTensor; readonly permutation: readonly number[] }
>()

/**
 * Output dimension i is dimension `permutation[i]`. A 2-D transpose of any size costs nothing until packed; any other is
 * rearranged in memory when it is first read, and let go once it has been read to the end.
 */
export function transposedConstant(constant: ConstantTensor, permutation: readonly number[]): ConstantTensor {
  const dims = permutation.map((axis) => constant.dims[axis] as number)
  if (constant.splat !== null) return splatConstant(constant.dtype, dims, constant.splat)
  const before = transpositions.get(constant)
  if (before !== undefined) {
    const both = permutation.map((axis) => before.permutation[axis] as number)
    const isBack = both.every((axis, i) => axis === i)
    return isBack ? before.constant : transposedConstant(before.constant, both)
  }
  const isMatrix = dims.length === 2 && permutation[0] === 1
  const wholeCount = elementCount(dims)
  let whole: Promise<TensorData> | undefined
  const transposed = derivedConstant(constant, {
    dtype: constant.dtype,
    dims,
    splat: null,
    transposeOf: isMatrix ? constant : null,
    async read(start, count) {
      whole ??= readWhole(constant).then((data) =>
        permuteElements(data, constant.dtype, constant.dims, permutation),
      )
      const data = await whole
      if (start + count >= wholeCount) whole = undefined
      return data.slice(start, start + count)
    },
  })
  transpositions.set(transposed, { constant, permutation })
  return transposed
}
