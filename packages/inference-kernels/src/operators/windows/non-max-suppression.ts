// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch, unsupported } from '../fault.ts'
import { defineOperator, type Operand, type OperandType } from '../operator.ts'
import { knownNumbers, product, requireDtype, required, result, showDims } from '../support.ts'

type Inputs = readonly (OperandType | null)[]

const { fround } = Math

/** The one number of an optional input; undefined where it is not given. */
function optionalNumber(inputs: Inputs, index: number): number | undefined {
  return knownNumbers(inputs[index])?.[0]
}

/**
 * Corners of all boxes, and their areas: [x1, y1, x2, y2, area] with x1 ≤ x2 and y1 ≤ y2. In single precision, as the models'
 * own runtimes compute: whether two boxes overlap by just the threshold hangs on the rounding.
 */
function cornersOf(boxes: Float32Array, isCentered: boolean): Float32Array {
  const corners = new Float32Array((boxes.length / 4) * 5)
  for (let from = 0, to = 0; from < boxes.length; from += 4, to += 5) {
    const [a, b, c, d] = boxes.subarray(from, from + 4) as unknown as [number, number, number, number]
    const [x1, y1, x2, y2] = isCentered ? [a - c / 2, b - d / 2, a + c / 2, b + d / 2] : [b, a, d, c]
    corners[to] = Math.min(x1, x2)
    corners[to + 1] = Math.min(y1, y2)
    corners[to + 2] = Math.max(x1, x2)
    corners[to + 3] = Math.max(y1, y2)
    corners[to + 4] = Math.abs(isCentered ? c * d : fround(c - a) * fround(d - b))
  }
  return corners
}

/** Whether the intersection of two boxes is more than a part of their union. */
function overlaps(corners: Float32Array, i: number, j: number, threshold: number): boolean {
  const [a, b] = [5 * i, 5 * j]
  const width =
    Math.min(corners[a + 2] as number, corners[b + 2] as number) -
    Math.max(corners[a] as number, corners[b] as number)
  const height =
    Math.min(corners[a + 3] as number, corners[b + 3] as number) -
    Math.max(corners[a + 1] as number, corners[b + 1] as number)
  if (!(width > 0 && height > 0)) return false
  const shared = fround(fround(width) * fround(height))
  const union = fround(fround((corners[a + 4] as number) + (corners[b + 4] as number)) - shared)
  return union > 0 && fround(shared / union) > threshold
}

/** Image, class and box of each box that is kept, one after another; null while an input is not known. */
function keptBoxes(inputs: Inputs, isCentered: boolean): readonly number[] | null {
  const boxes = required(inputs, 0)
  const scores = required(inputs, 1)
  if (inputs.some((it) => it !== null && it.data === null)) return null
  const [batch, classes, boxCount] = scores.dims as [number, number, number]
  const most = optionalNumber(inputs, 2) ?? 0
  const overlap = optionalNumber(inputs, 3) ?? 0
  const leastScore = optionalNumber(inputs, 4)
  const kept: number[] = []
  if (most <= 0) return kept
  for (let n = 0; n < batch; n++) {
    const own = (boxes.data as Float32Array).subarray(n * boxCount * 4, (n + 1) * boxCount * 4)
    const corners = cornersOf(own, isCentered)
    for (let c = 0; c < classes; c++) {
      const start = (n * classes + c) * boxCount
      const row = (scores.data as Float32Array).subarray(start, start + boxCount)
      const candidates: number[] = []
      for (let i = 0; i < boxCount; i++) {
        if (leastScore === undefined || (row[i] as number) > leastScore) candidates.push(i)
      }
      candidates.sort((i, j) => compareScores(row[i] as number, row[j] as number) || i - j)
      const selected: number[] = []
      for (const i of candidates) {
        if (selected.length >= most) break
        if (!selected.some((j) => overlaps(corners, i, j, overlap))) selected.push(i)
      }
      for (const i of selected) kept.push(n, c, i)
    }
  }
  return kept
}

/** Higher ones first; what is not a number last. */
function compareScores(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  return a > b || Number.isNaN(b) ? -1 : 1
}

/**
 * The best boxes of each class that do not overlap too much. Inputs: boxes [N, B, 4], scores [N, C, B], then one number each:
 * the most boxes of a class, the part of a union from which two boxes overlap, and the score that a box has to exceed.
 */
export const nonMaxSuppression = defineOperator({
  name: 'NonMaxSuppression',
  inputCount: [2, 5],
  contents: [0, 1, 2, 3, 4],
  attributes: { center_point_box: int(0) },
  infer({ inputs, attributes: { center_point_box } }) {
    const boxes = required(inputs, 0)
    const scores = required(inputs, 1)
    for (const { dtype } of [boxes, scores]) requireDtype(dtype, ['float32'])
    const [batch, boxCount, coordinates] = boxes.dims
    if (boxes.dims.length !== 3 || coordinates !== 4 || scores.dims.length !== 3)
      mismatch(`boxes have shape ${showDims(boxes.dims)}, scores ${showDims(scores.dims)}`)
    if (scores.dims[0] !== batch || scores.dims[2] !== boxCount)
      mismatch(`boxes have shape ${showDims(boxes.dims)}, scores ${showDims(scores.dims)}`)
    for (const [i, dtype] of (['int64', 'float32', 'float32'] as const).entries()) {
      const input = inputs[i + 2] ?? null
      if (input === null) continue
      requireDtype(input.dtype, [dtype])
      if (product(input.dims) !== 1) mismatch(`input ${i + 2} has shape ${showDims(input.dims)}`)
    }
    if (center_point_box !== 0 && center_point_box !== 1)
      unsupported(`center_point_box is ${center_point_box}`)
    const kept = keptBoxes(inputs, center_point_box === 1)
    return [result('int64', [kept === null ? null : kept.length / 3, 3])]
  },
  run({ inputs, outputs, attributes: { center_point_box } }) {
    const kept = keptBoxes(inputs, center_point_box === 1) ?? []
    ;((outputs[0] as Operand).data as BigInt64Array).set(kept.map(BigInt))
  },
})
