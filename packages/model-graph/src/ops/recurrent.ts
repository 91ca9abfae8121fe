// SPDX-License-Identifier: Apache-2.0
import { recurrentActivations } from '@mlcapsule/inference-kernels/program'
import { quote } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

/** LSTM, GRU and RNN. The engine knows activations by number. */
export function importRecurrent(ctx: NodeContext): readonly Value[] {
  // Up to opset 6 it says whether the first output is wanted.
  ctx.attributes.ignore('output_sequence')
  const attributes = readAttributes(ctx, ctx.opType, ['activations'])
  const activations = ctx.attributes.strings('activations')?.map((name) => {
    const index = recurrentActivations.findIndex((it) => it.toLowerCase() === name.toLowerCase())
    return index < 0 ? ctx.unsupported(`activation ${quote(name)}`) : index
  })
  if (activations !== undefined) attributes.activations = activations
  return ctx.operatorOutputs(ctx.opType, ctx.inputs, attributes, ctx.outputCount)
}
