// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type { NodeOf, Value } from '../../graph/graph.ts'

/** How bytes stand for real numbers: (q - zero) * scale. int8 is uint8 with everything moved by 128. */
export interface ByteFormat {
  readonly scale: number
  /** As uint8. */
  readonly zero: number
}

export const sameFormat = (a: ByteFormat, b: ByteFormat) => a.scale === b.scale && a.zero === b.zero

async function single(value: Value | null | undefined): Promise<number | null> {
  const constant = value?.constant
  if (constant == null || constant.dims.length > 1 || elementCount(constant.dims) !== 1) return null
  return Number((await constant.read(0, 1))[0])
}

/** The format of one scale and zero point that are constant and for the whole tensor; null for any other. */
export async function byteFormatOf(
  scaleValue: Value | null | undefined,
  zeroValue: Value | null | undefined,
  dtype: 'uint8' | 'int8',
): Promise<ByteFormat | null> {
  const scale = await single(scaleValue)
  const zero = zeroValue == null ? 0 : await single(zeroValue)
  // A scale like that of no model: numbers beyond float32 would then make a difference.
  if (scale === null || zero === null || !(scale > 1e-30 && scale < 1e30)) return null
  return { scale, zero: dtype === 'int8' ? zero + 128 : zero }
}

export const isByte = (value: Value): value is Value & { readonly dtype: 'uint8' | 'int8' } =>
  value.dtype === 'uint8' || value.dtype === 'int8'

/** The format that a QuantizeLinear or DequantizeLinear converts to or from; null where it is not one for the tensor. */
export async function conversionFormat({
  attributes,
  inputs,
  output,
}: NodeOf<'operator'>): Promise<ByteFormat | null> {
  const { operator } = attributes
  const [x, scale, zero] = inputs as [Value, Value, Value | null]
  const bytes = operator === 'QuantizeLinear' ? output : operator === 'DequantizeLinear' ? x : null
  const floats = operator === 'QuantizeLinear' ? x : output
  if (bytes === null || bytes.constant !== null || !isByte(bytes) || floats.dtype !== 'float32') return null
  if (attributes.attributes.block_size !== 0 || bytes.dims.includes(0)) return null
  return byteFormatOf(scale, zero, bytes.dtype)
}
