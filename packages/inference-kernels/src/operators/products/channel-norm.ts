// SPDX-License-Identifier: Apache-2.0
import { float, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import { product, requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'
import { normalize } from './layer-norm.ts'

/** Channels of a tensor [N, C, …], and elements of each in a batch entry. */
function channelsOf({ dims }: TensorType): { readonly channels: number; readonly size: number } {
  if (dims.length < 2) mismatch(`input has shape ${showDims(dims)}, expected [N, C, …]`)
  return { channels: dims[1] as number, size: product(dims.slice(2)) }
}

function requireVector(vector: TensorType, counts: readonly number[], what: string): void {
  requireSameDtype('float32', vector.dtype)
  if (vector.dims.length !== 1 || !counts.includes(vector.dims[0] as number))
    mismatch(`${what} has shape ${showDims(vector.dims)}, expected [${counts[0]}]`)
}

/** Scales and shifts each channel of [N, C, …]; `repeat` channels in a row share an element of scale and bias. */
function scaleChannels(
  out: Float32Array,
  { channels, size }: { readonly channels: number; readonly size: number },
  scale: Float32Array,
  bias: Float32Array,
): void {
  const repeat = channels / scale.length
  for (let start = 0, channel = 0; start < out.length; start += size, channel = (channel + 1) % channels) {
    const at = Math.floor(channel / repeat)
    const factor = scale[at] as number
    const term = bias[at] as number
    for (let i = start; i < start + size; i++) out[i] = (out[i] as number) * factor + term
  }
}

/** Normalizes each channel of each batch entry by itself. */
export const instanceNormalization = defineOperator({
  name: 'InstanceNormalization',
  inputCount: [3, 3],
  attributes: { epsilon: float(1e-5) },
  infer({ inputs }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, ['float32'])
    const { channels } = channelsOf(x)
    requireVector(required(inputs, 1), [channels], 'scale')
    requireVector(required(inputs, 2), [channels], 'bias')
    return [result('float32', x.dims)]
  },
  run({ inputs, outputs, attributes: { epsilon } }) {
    normalizeRows(inputs, outputs, required(inputs, 0).dims[1] as number, epsilon)
  },
})

/** Normalizes the channels of each batch entry in groups. Scale and bias are one per channel, or, as before opset 21, per group. */
export const groupNormalization = defineOperator({
  name: 'GroupNormalization',
  inputCount: [3, 3],
  attributes: { epsilon: float(1e-5), num_groups: int(1) },
  infer({ inputs, attributes: { num_groups: groups } }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, ['float32'])
    const { channels } = channelsOf(x)
    if (groups < 1 || channels % groups !== 0) mismatch(`${groups} groups of ${channels} channels`)
    requireVector(required(inputs, 1), [channels, groups], 'scale')
    requireVector(required(inputs, 2), required(inputs, 1).dims, 'bias')
    return [result('float32', x.dims)]
  },
  run({ inputs, outputs, attributes: { epsilon, num_groups: groups } }) {
    normalizeRows(inputs, outputs, groups, epsilon)
  },
})

/** @param groupCount stretches of equal length that each batch entry is normalized in */
function normalizeRows(
  inputs: readonly (Operand | null)[],
  outputs: readonly Operand[],
  groupCount: number,
  epsilon: number,
): void {
  const x = required(inputs, 0)
  const out = (outputs[0] as Operand).data as Float32Array
  const channels = channelsOf(x)
  const size = (channels.channels / groupCount) * channels.size
  if (out.length === 0) return
  for (let start = 0; start < out.length; start += size) {
    normalize(x.data as Float32Array, out, start, start + size, epsilon)
  }
  scaleChannels(
    out,
    channels,
    required(inputs, 1).data as Float32Array,
    required(inputs, 2).data as Float32Array,
  )
}
