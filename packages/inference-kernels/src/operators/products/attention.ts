// SPDX-License-Identifier: Apache-2.0
import { flag, float, int } from '../attributes.ts'
import { unsupported } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { required, result } from '../support.ts'
import { attentionBias } from './attention-bias.ts'
import { attentionSizes, type Heads } from './attention-sizes.ts'
import { type Matrix, multiply } from './multiply.ts'

/** Stages at which the scores can be asked for. */
const stages = ['scores', 'softcap', 'bias', 'softmax'] as const

/**
 * Scaled dot-product attention, with grouped heads of keys and values, and keys and values of earlier steps. Results: as many
 * steps as Q has; all keys; all values; the scores at the stage `qk_matmul_output_mode` (0: scaled, 1: after the soft cap,
 * 2: with the mask, 3: after softmax). A row whose keys are all masked out is 0. A scale of 0 stands for 1/√size, and a soft
 * cap that is not positive for none.
 */
export const attention = defineOperator({
  name: 'Attention',
  inputCount: [3, 7],
  outputCount: [1, 4],
  attributes: {
    is_causal: flag(false),
    kv_num_heads: int(0),
    q_num_heads: int(0),
    qk_matmul_output_mode: int(0),
    scale: float(0),
    softcap: float(0),
  },
  infer({ inputs, attributes }) {
    const { q, k, v, totalCount } = attentionSizes(inputs, attributes)
    const mode = attributes.qk_matmul_output_mode
    if (stages[mode] === undefined) unsupported(`qk_matmul_output_mode is ${mode}`)
    const isFlat = required(inputs, 0).dims.length === 3
    return [
      result('float32', isFlat ? [q.batch, q.steps, q.heads * v.size] : [q.batch, q.heads, q.steps, v.size]),
      result('float32', [k.batch, k.heads, totalCount, k.size]),
      result('float32', [v.batch, v.heads, totalCount, v.size]),
      result('float32', [q.batch, q.heads, q.steps, totalCount]),
    ]
  },
  run({ inputs, outputs, attributes }) {
    const sizes = attentionSizes(inputs, attributes)
    const { q, totalCount } = sizes
    const softcap = attributes.softcap
    // Keys of no elements all score 0, which no scale changes.
    const scale = attributes.scale === 0 ? 1 / Math.sqrt(Math.max(q.size, 1)) : attributes.scale
    const keys = allSteps(required(inputs, 1), inputs[4] ?? null, sizes.k, outputs[1] ?? null)
    const values = allSteps(required(inputs, 2), inputs[5] ?? null, sizes.v, outputs[2] ?? null)
    const out = (outputs[0] as Operand).data as Float32Array
    const exposed = outputs[3]?.data as Float32Array | undefined
    const stage = stages[attributes.qk_matmul_output_mode]
    const bias = attentionBias(inputs[3] ?? null, inputs[6] ?? null, attributes.is_causal, sizes)
    const isFlat = required(inputs, 0).dims.length === 3
    const width = sizes.v.size
    const scores = new Float32Array(q.steps * totalCount)
    const group = q.heads / sizes.k.heads
    for (let b = 0; b < q.batch; b++) {
      for (let h = 0; h < q.heads; h++) {
        const expose = (at: (typeof stages)[number]) => {
          if (at === stage) exposed?.set(scores, (b * q.heads + h) * scores.length)
        }
        const keyHead = Math.floor(h / group)
        const k = headMatrix(keys, b, keyHead)
        multiply(
          headMatrix({ data: required(inputs, 0).data as Float32Array, heads: q }, b, h),
          { ...k, row: 1, column: k.row },
          { data: scores, at: 0, row: totalCount },
          [q.steps, q.size, totalCount],
          { scale },
        )
        expose('scores')
        if (softcap > 0) {
          for (let i = 0; i < scores.length; i++) {
            scores[i] = softcap * Math.tanh((scores[i] as number) / softcap)
          }
        }
        expose('softcap')
        const masked = bias.add(scores, b, h)
        expose('bias')
        softmaxRows(scores, totalCount, masked)
        expose('softmax')
        const target = isFlat
          ? { data: out, at: (b * q.steps * q.heads + h) * width, row: q.heads * width }
          : { data: out, at: (b * q.heads + h) * q.steps * width, row: width }
        multiply(
          { data: scores, at: 0, row: totalCount, column: 1 },
          headMatrix(values, b, keyHead),
          target,
          [q.steps, totalCount, width],
        )
      }
    }
  },
})

interface HeadData {
  readonly data: Float32Array
  readonly heads: Heads
}

function headMatrix({ data, heads: it }: HeadData, batch: number, head: number): Matrix {
  const at = batch * it.heads * it.steps * it.size + head * it.headStride
  return { data, at, row: it.stepStride, column: 1 }
}

/** Keys or values of earlier steps with those of now; as they are where neither earlier ones nor a result ask for a copy. */
function allSteps(now: Operand, past: Operand | null, heads: Heads, target: Operand | null): HeadData {
  const data = now.data as Float32Array
  if (past === null && target === null) return { data, heads }
  const pastCount = past?.dims[2] ?? 0
  const { batch, heads: headCount, steps, size } = heads
  const total = pastCount + steps
  const all = (target?.data as Float32Array | undefined) ?? new Float32Array(batch * headCount * total * size)
  const earlier = past?.data as Float32Array | undefined
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < headCount; h++) {
      const row = b * headCount + h
      const at = row * total * size
      if (earlier !== undefined)
        all.set(earlier.subarray(row * pastCount * size, (row + 1) * pastCount * size), at)
      const from = headMatrix({ data, heads }, b, h)
      for (let s = 0; s < steps; s++) {
        const start = from.at + s * from.row
        all.set(data.subarray(start, start + size), at + (pastCount + s) * size)
      }
    }
  }
  return {
    data: all,
    heads: { ...heads, steps: total, headStride: total * size, stepStride: size },
  }
}

/** Softmax of each row in place; rows that are masked become 0. */
function softmaxRows(scores: Float32Array, width: number, masked: Uint8Array): void {
  for (let row = 0; row < masked.length; row++) {
    const start = row * width
    const end = start + width
    if (masked[row] === 1) {
      scores.fill(0, start, end)
      continue
    }
    let most = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) most = Math.max(most, scores[i] as number)
    let sum = 0
    for (let i = start; i < end; i++) {
      const power = Math.exp((scores[i] as number) - most)
      scores[i] = power
      sum += power
    }
    for (let i = start; i < end; i++) scores[i] = (scores[i] as number) / sum
  }
}
