// SPDX-License-Identifier: Apache-2.0
import { quote } from '../errors.ts'
import { formatDims } from '../graph/dims.ts'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { type EinsumLabels, parseEinsum } from './einsum-equation.ts'
import { emitDense, emitMatmul } from './linear.ts'

export function importEinsum(ctx: NodeContext): Value {
  const equation = ctx.attributes.string('equation', '')
  const inputs = ctx.inputs.map((_, i) => ctx.input(i))
  const labels = parseEinsum(
    equation,
    inputs.map(({ dims }) => dims.length),
  )
  if (labels === null) {
    ctx.mismatch(`equation ${quote(equation)} on ${inputs.map(({ dims }) => formatDims(dims)).join(', ')}`)
  }
  const product = inputs.length === 2 ? importProduct(ctx, inputs as [Value, Value], labels) : null
  if (product !== null) return product
  return ctx.operator('Einsum', inputs, { labels: labels.operands.flat(), output: labels.output })
}

/** Several dimensions as one; null where that has no name. */
function mergedDim(dims: readonly Dim[]): Dim | null {
  const rest = dims.filter((dim) => dim !== 1)
  if (rest.length <= 1) return rest[0] ?? 1
  return rest.every((dim) => typeof dim === 'number') ? rest.reduce((product, dim) => product * dim, 1) : null
}

/** An equation that is a matrix product, or a stack of them, between transpositions; null where it is none. */
function importProduct(
  ctx: NodeContext,
  [a, b]: [Value, Value],
  { operands, output }: EinsumLabels,
): Value | null {
  const [ofA, ofB] = operands as [readonly number[], readonly number[]]
  if (!ctx.fitsKernels(a, b) || [a, b].some((it) => it.dims.some(isUnknown) || it.dims.length > 6))
    return null
  const sizes = new Map<number, Dim>()
  for (const [labels, { dims }] of [
    [ofA, a],
    [ofB, b],
  ] as const) {
    if (new Set(labels).size !== labels.length) return null
    for (const [d, label] of labels.entries()) {
      const dim = dims[d] as Dim
      if ((sizes.get(label) ?? dim) !== dim) return null
      sizes.set(label, dim)
    }
  }
  const isSummed = (label: number) => !output.includes(label)
  const batch = output.filter((label) => ofA.includes(label) && ofB.includes(label))
  const rows = output.filter((label) => !ofB.includes(label))
  const columns = output.filter((label) => !ofA.includes(label))
  const inner = ofA.filter((label) => ofB.includes(label) && isSummed(label))
  const isLone = (label: number) => isSummed(label) && !inner.includes(label)
  if (inner.length === 0 || [...ofA, ...ofB].some(isLone)) return null
  const dimsOf = (labels: readonly number[]) => labels.map((label) => sizes.get(label) as Dim)
  const [m, k, n] = [rows, inner, columns].map((labels) => mergedDim(dimsOf(labels)))
  if (m == null || k == null || n == null) return null
  const arranged = (
    value: Value,
    own: readonly number[],
    order: readonly number[],
    dims: readonly Dim[],
  ): Value => {
    const moved = ctx.transpose(
      value,
      order.map((label) => own.indexOf(label)),
    )
    return ctx.reshape(moved, [...dimsOf(batch), ...dims])
  }
  const right = arranged(b, ofB, [...batch, ...inner, ...columns], [k, n])
  const left = arranged(a, ofA, [...batch, ...rows, ...inner], [m, k])
  const isDense = batch.length === 0 && right.constant !== null
  const result =
    isDense && right.constant !== null ? emitDense(ctx, left, right.constant) : emitMatmul(ctx, left, right)
  if (result === null) return null
  const order = [...batch, ...rows, ...columns]
  return ctx.transpose(
    ctx.reshape(result, dimsOf(order)),
    output.map((label) => order.indexOf(label)),
  )
}
