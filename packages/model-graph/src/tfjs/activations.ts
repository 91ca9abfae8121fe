// SPDX-License-Identifier: Apache-2.0
import { quote } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import type { OnnxCalls } from './onnx-calls.ts'

type Activate = (calls: OnnxCalls, x: Value) => Value

const same =
  (opType: string): Activate =>
  (calls, x) =>
    calls.call(opType, [x])

export function relu6(calls: OnnxCalls, x: Value): Value {
  return calls.call('Clip', [x, calls.scalar(0), calls.scalar(6)])
}

export function leakyRelu(calls: OnnxCalls, x: Value, alpha: number): Value {
  return calls.call('LeakyRelu', [x], { alpha: { float: alpha } })
}

function swish(calls: OnnxCalls, x: Value): Value {
  return calls.call('Mul', [x, calls.call('Sigmoid', [x])])
}

/** Activations as Keras and TensorFlow.js name them, in lower case without underscores. */
const activations: ReadonlyMap<string, Activate> = new Map<string, Activate>([
  ['linear', (_, x) => x],
  ['relu', same('Relu')],
  ['relu6', relu6],
  ['elu', same('Elu')],
  ['selu', same('Selu')],
  ['sigmoid', same('Sigmoid')],
  ['hardsigmoid', (calls, x) => calls.call('HardSigmoid', [x], { alpha: { float: 0.2 } })],
  ['softplus', same('Softplus')],
  ['softsign', same('Softsign')],
  ['tanh', same('Tanh')],
  ['softmax', (calls, x) => calls.call('Softmax', [x], { axis: -1 })],
  ['logsoftmax', (calls, x) => calls.call('LogSoftmax', [x], { axis: -1 })],
  ['gelu', same('Gelu')],
  ['gelunew', (calls, x) => calls.call('Gelu', [x], { approximate: 'tanh' })],
  ['mish', same('Mish')],
  ['swish', swish],
  ['silu', swish],
  ['exponential', same('Exp')],
])

/** An activation by its name, in whatever case the model writes it: `hard_sigmoid`, `hardSigmoid`. */
export function activation(calls: OnnxCalls, name: string, x: Value): Value {
  const activate = activations.get(plainName(name))
  return activate === undefined ? calls.unsupported(`activation ${quote(name)}`) : activate(calls, x)
}

/** A name in lower case without underscores. */
export function plainName(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}
