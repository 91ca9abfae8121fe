// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type Operand, type OperandType } from '../operator.ts'
import { requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'

interface RotarySizes {
  readonly batch: number
  readonly heads: number
  readonly steps: number
  readonly size: number
  /** Pairs of elements that turn; those past them stay. */
  readonly pairs: number
  /** Elements from one head to the next, and from one step to the next. */
  readonly headStride: number
  readonly stepStride: number
}

interface RotaryAttributes {
  readonly num_heads: number
  readonly rotary_embedding_dim: number
}

function sizesOf(
  inputs: readonly (OperandType | null)[],
  { num_heads: numHeads, rotary_embedding_dim: rotaryDim }: RotaryAttributes,
): RotarySizes {
  const { dims } = required(inputs, 0)
  let sizes: Omit<RotarySizes, 'pairs'>
  if (dims.length === 4) {
    const [batch, heads, steps, size] = dims as [number, number, number, number]
    sizes = { batch, heads, steps, size, headStride: steps * size, stepStride: size }
  } else if (dims.length === 3) {
    const [batch, steps, width] = dims as [number, number, number]
    if (numHeads < 1 || width % numHeads !== 0) mismatch(`${numHeads} heads in ${width} elements`)
    const size = width / numHeads
    sizes = { batch, heads: numHeads, steps, size, headStride: size, stepStride: width }
  } else mismatch(`input has shape ${showDims(dims)}, expected 3 or 4 dimensions`)
  const turning = rotaryDim === 0 ? sizes.size : rotaryDim
  if (turning < 0 || turning % 2 !== 0 || turning > sizes.size)
    mismatch(`${turning} of ${sizes.size} elements of a head turn`)
  return { ...sizes, pairs: turning / 2 }
}

function requireCaches(inputs: readonly (OperandType | null)[], { batch, steps, pairs }: RotarySizes): void {
  const cos = required(inputs, 1)
  const sin = required(inputs, 2)
  const positions = inputs[3] ?? null
  for (const { dtype } of [cos, sin]) requireSameDtype('float32', dtype)
  if (showDims(cos.dims) !== showDims(sin.dims))
    mismatch(`cosines have shape ${showDims(cos.dims)}, sines ${showDims(sin.dims)}`)
  const isFit =
    positions === null
      ? cos.dims.length === 3 && cos.dims[0] === batch && cos.dims[1] === steps
      : cos.dims.length === 2
  if (!isFit || (cos.dims.at(-1) as number) < pairs) mismatch(`cosines have shape ${showDims(cos.dims)}`)
  if (positions === null) return
  requireDtype(positions.dtype, ['int64'])
  if (showDims(positions.dims) !== showDims([batch, steps]))
    mismatch(`positions have shape ${showDims(positions.dims)}, expected ${showDims([batch, steps])}`)
}

/**
 * Turns pairs of elements of each head by angles that depend on the position. Inputs: [batch, heads, steps, size] or
 * [batch, steps, heads · size]; cosines and sines by position, with the positions [batch, steps], or for each step itself.
 */
export const rotaryEmbedding = defineOperator({
  name: 'RotaryEmbedding',
  inputCount: [3, 4],
  attributes: { interleaved: flag(false), num_heads: int(0), rotary_embedding_dim: int(0) },
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    requireCaches(inputs, sizesOf(inputs, attributes))
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes }) {
    const sizes = sizesOf(inputs, attributes)
    const { batch, heads, steps, pairs, headStride, stepStride } = sizes
    const x = required(inputs, 0).data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const cos = required(inputs, 1)
    const cosines = cos.data as Float32Array
    const sines = required(inputs, 2).data as Float32Array
    const positions = inputs[3]?.data as BigInt64Array | undefined
    const width = cos.dims.at(-1) as number
    const step = attributes.interleaved ? 2 : 1
    const partner = attributes.interleaved ? 1 : pairs
    out.set(x)
    for (let b = 0; b < batch; b++) {
      for (let s = 0; s < steps; s++) {
        const position = positions === undefined ? b * steps + s : Number(positions[b * steps + s])
        if (positions !== undefined && (position < 0 || position >= (cos.dims[0] as number)))
          badValue('a position is not in the cache')
        const angle = position * width
        for (let h = 0; h < heads; h++) {
          const at = b * heads * steps * sizes.size + h * headStride + s * stepStride
          for (let p = 0, i = at; p < pairs; p++, i += step) {
            const real = x[i] as number
            const imaginary = x[i + partner] as number
            const c = cosines[angle + p] as number
            const d = sines[angle + p] as number
            out[i] = c * real - d * imaginary
            out[i + partner] = d * real + c * imaginary
          }
        }
      }
    }
  },
})
