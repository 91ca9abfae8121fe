// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../errors.ts'
import type { Value } from '../../graph/graph.ts'
import { activation, leakyRelu } from '../activations.ts'
import { batchNorm } from '../batch-norm.ts'
import type { TfOp } from './op.ts'

/** What a fused operator does besides its product. */
export interface FusedSteps {
  /** Comes right after the product, along the channels. */
  readonly bias: Value | null
  /** All that comes after the bias. @param axis of the channels */
  finish(result: Value, axis?: number): Value
}

/**
 * The steps that attribute `fused_ops` names, with the inputs that they take.
 * @param firstArgument index of the first input that belongs to a fused step
 */
export function fusedSteps(op: TfOp, firstArgument: number): FusedSteps {
  const names = [...op.attributes.strings('fused_ops')]
  const rest = op.inputs.slice(firstArgument)
  const take = () => rest.shift() ?? op.invalid('a fused step lacks its input')
  const bias = names[0] === 'BiasAdd' ? take() : null
  if (bias !== null) names.shift()
  const steps = names.map((name): ((x: Value, axis: number) => Value) => {
    if (name === 'FusedBatchNorm') {
      const parameters = {
        scale: take(),
        offset: take(),
        mean: take(),
        variance: take(),
        epsilon: op.attributes.float('epsilon', 1e-4),
      }
      return (x, axis) => batchNorm(op, x, parameters, axis)
    }
    if (name === 'Prelu') {
      const slope = take()
      return (x, axis) => {
        if (axis !== x.dims.length - 1) op.unsupported('a fused Prelu where channels do not come last')
        return op.call('PRelu', [x, slope])
      }
    }
    if (name === 'LeakyRelu') {
      const alpha = op.attributes.float('leakyrelu_alpha', 0.2)
      return (x) => leakyRelu(op, x, alpha)
    }
    if (['Relu', 'Relu6', 'Elu', 'Sigmoid', 'Tanh'].includes(name)) return (x) => activation(op, name, x)
    return op.unsupported(`fused step ${quote(name)}`)
  })
  if (rest.length > 0) op.unsupported('inputs that no fused step takes')
  return {
    bias,
    finish: (result, axis = result.dims.length - 1) => steps.reduce((x, step) => step(x, axis), result),
  }
}
