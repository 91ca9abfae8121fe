// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import { classDimension } from '@mlcapsule/contracts'
import type { Inference } from '@mlcapsule/enclave-bridge'
import { ClientError } from '../errors.ts'
import { describe } from './inputs.ts'

/** One class of an answer. */
export interface RankedClass {
  /** Place in the model's output, from 0. */
  readonly index: number
  /** From the capsule's header, or the index where it has none. */
  readonly label: string
  /** The model's own figure, as the defenses let it out. */
  readonly score: number
  /** The score where the scores are a distribution; else what softmax makes of them. */
  readonly confidence: number
}

const sumTolerance = 0.05

/** Rounding and top-k leave a distribution that no longer adds up to exactly 1. */
function isDistribution(scores: Float32Array | Float64Array): boolean {
  let sum = 0
  for (const score of scores) {
    if (score < 0 || score > 1) return false
    sum += score
  }
  return sum > 0 && sum < 1 + sumTolerance
}

function softmax(scores: Float32Array | Float64Array): Float64Array {
  let max = Number.NEGATIVE_INFINITY
  for (const score of scores) max = Math.max(max, score)
  const powers = Float64Array.from(scores, (score) => Math.exp(score - max))
  let sum = 0
  for (const power of powers) sum += power
  return powers.map((power) => power / sum)
}

type Signature = Pick<CapsuleHeader, 'outputs' | 'labels'>

/** Whether the model's first output is scores, one per class: floats as [classes], [1, classes] or [1, classes, 1, 1]. */
export function isClassifier({ outputs }: Signature): boolean {
  const [spec] = outputs
  const isFloat = spec?.dtype === 'float32' || spec?.dtype === 'float64'
  const classes = classDimension(spec?.shape ?? [])
  // A name for the first dimension stands for the number of items, which is 1.
  const isOne = (size: number | string, i: number) => size === 1 || (i === 0 && typeof size === 'string')
  return isFloat && spec.shape.every((size, i) => i === classes || isOne(size, i))
}

/** Checks it before a query is paid for. @throws ClientError `CLIENT_OUTPUT_NOT_CLASSES` */
export function assertClassifier(signature: Signature): void {
  if (isClassifier(signature)) return
  const [spec] = signature.outputs
  const detail = `expected one float score per class, the model gives ${spec === undefined ? 'nothing' : describe(spec)}`
  throw new ClientError('CLIENT_OUTPUT_NOT_CLASSES', detail, { field: 'outputs' })
}

/**
 * The classes of a classifier's answer, the best first; none where a defense blocked the query, and undefined where the
 * answer has several rows of scores: a batch, say.
 */
export function classesOf(
  inference: Inference,
  { outputs, labels }: Signature,
  count = 5,
): readonly RankedClass[] | undefined {
  const { data: scores, shape = [] } = inference.outputs.get(outputs[0]?.name ?? '') ?? {}
  const isScores = scores instanceof Float32Array || scores instanceof Float64Array
  if (!isScores) return []
  return scores.length === (shape[classDimension(shape)] ?? 1)
    ? rankClasses(scores, labels, count)
    : undefined
}

/** The classes of one answer, the best first; among equals the lower index. */
export function rankClasses(
  scores: Float32Array | Float64Array,
  labels: readonly string[] | null,
  count = 5,
): readonly RankedClass[] {
  const confidences = isDistribution(scores) ? scores : softmax(scores)
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  return order.slice(0, count).map((index) => ({
    index,
    label: labels?.[index] ?? String(index),
    score: scores[index] as number,
    confidence: confidences[index] as number,
  }))
}
