// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../errors.ts'
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import { plainName } from '../activations.ts'
import type { CallAttribute } from '../onnx-calls.ts'
import type { Layer, LayerImporter, LayerTable } from './layer.ts'
import { gateBiases, gateRows } from './recurrent-weights.ts'

interface CellKind {
  readonly opType: 'LSTM' | 'GRU' | 'RNN'
  /** Places of ONNX's gates among those of Keras. */
  readonly gates: readonly number[]
  /** Fields of the configuration that name the functions, in ONNX's order, and what they are by default. */
  readonly functions: readonly (readonly [field: string, otherwise: string])[]
}

const cellFunction = ['activation', 'tanh'] as const
const gateFunction = ['recurrent_activation', 'hard_sigmoid'] as const

const lstm: CellKind = {
  opType: 'LSTM',
  gates: [0, 3, 1, 2],
  functions: [gateFunction, cellFunction, cellFunction],
}
const gru: CellKind = { opType: 'GRU', gates: [0, 1, 2], functions: [gateFunction, cellFunction] }
const simple: CellKind = { opType: 'RNN', gates: [0], functions: [cellFunction] }

interface CellFunction {
  readonly name: string
  readonly alphas: readonly number[]
  readonly betas: readonly number[]
}

/** Functions of cells by Keras's name, with ONNX's parameters of those that have any. */
const functions: ReadonlyMap<string, CellFunction> = new Map([
  ['linear', { name: 'Affine', alphas: [1], betas: [0] }],
  ['relu', { name: 'Relu', alphas: [], betas: [] }],
  ['tanh', { name: 'Tanh', alphas: [], betas: [] }],
  ['sigmoid', { name: 'Sigmoid', alphas: [], betas: [] }],
  ['hardsigmoid', { name: 'HardSigmoid', alphas: [0.2], betas: [0.5] }],
  ['elu', { name: 'Elu', alphas: [1], betas: [] }],
  ['softsign', { name: 'Softsign', alphas: [], betas: [] }],
  ['softplus', { name: 'Softplus', alphas: [], betas: [] }],
])

function readFunctions(layer: Layer, kind: CellKind): Record<string, CallAttribute> {
  const used = kind.functions.map(([field, otherwise]) => {
    const name = layer.name(field, otherwise)
    return functions.get(plainName(name)) ?? layer.unsupported(`${field} ${quote(name)}`)
  })
  return {
    activations: used.map((it) => it.name),
    activation_alpha: { floats: used.flatMap((it) => it.alphas) },
    activation_beta: { floats: used.flatMap((it) => it.betas) },
  }
}

function refuseState(layer: Layer): void {
  if (layer.config.flag('stateful', false)) layer.unsupported('it keeps its state between queries (stateful)')
  if (layer.config.flag('time_major', false)) layer.unsupported('time comes before the batch (time_major)')
}

/** A layer's results with time as ONNX has it: all states [T,N,units], and the last ones [N,units]. */
function run(layer: Layer, kind: CellKind, isReverse: boolean): { all: Value; last: readonly Value[] } {
  refuseState(layer)
  const { x, config } = layer
  if (x.dims.length !== 3) layer.mismatch(`a sequence has three dimensions, not ${formatDims(x.dims)}`)
  const kernel = layer.weight('kernel', 2).constant
  const recurrent = layer.weight('recurrent_kernel', 2).constant
  const units = recurrent.dims[0] as number
  const width = kind.gates.length * units
  const resetsAfter = kind === gru && config.flag('reset_after', false)
  const hasBias = config.flag('use_bias', true)
  const bias = hasBias ? layer.weight('bias', resetsAfter ? 2 : 1).constant : null
  if (
    kernel.dims[1] !== width ||
    recurrent.dims[1] !== width ||
    (bias !== null && bias.dims.at(-1) !== width)
  ) {
    layer.mismatch(`the weights are not those of ${kind.gates.length} gates of ${units} units`)
  }
  const attributes: Record<string, CallAttribute> = {
    hidden_size: units,
    direction: isReverse ? 'reverse' : 'forward',
    ...readFunctions(layer, kind),
    ...(resetsAfter ? { linear_before_reset: 1 } : {}),
  }
  const inputs = [
    layer.transpose(x, [1, 0, 2]),
    layer.constant(gateRows(kernel, kind.gates)),
    layer.constant(gateRows(recurrent, kind.gates)),
    bias === null ? null : layer.constant(gateBiases(bias, kind.gates)),
  ]
  const [all, ...last] = layer.outputs(kind.opType, inputs, attributes, kind === lstm ? 3 : 2)
  return { all: layer.squeeze(all as Value, [1]), last: last.map((it) => layer.squeeze(it, [0])) }
}

function backward(layer: Layer, sequence: Value): Value {
  const [start, end] = [layer.integers([-1]), layer.integers([-(2 ** 31) + 1])]
  return layer.call('Slice', [sequence, start, end, layer.integers([0]), layer.integers([-1])])
}

const recurrent =
  (kind: CellKind): LayerImporter =>
  (layer) => {
    const isReverse = layer.config.flag('go_backwards', false)
    const { all, last } = run(layer, kind, isReverse)
    const states = layer.config.flag('return_state', false) ? last : []
    if (!layer.config.flag('return_sequences', false)) return [last[0] as Value, ...states]
    // A layer that goes backward gives its states as it went.
    const sequence = isReverse ? backward(layer, all) : all
    return [layer.transpose(sequence, [1, 0, 2]), ...states]
  }

const kinds: ReadonlyMap<string, CellKind> = new Map([
  ['LSTM', lstm],
  ['GRU', gru],
  ['SimpleRNN', simple],
])

/** One layer that goes forward and one that goes backward, and their results joined. */
function bidirectional(outer: Layer): Value | readonly Value[] {
  const inner = outer.config.object('layer')
  const className = inner.string('class_name')
  const kind = kinds.get(className) ?? outer.unsupported(`a wrapped ${className}`)
  const config = inner.object('config')
  if (config.flag('go_backwards', false)) outer.unsupported('the wrapped layer goes backward')
  if (config.flag('return_state', false)) outer.unsupported('the wrapped layer gives its state')
  const isSequence = config.flag('return_sequences', false)
  const name = config.string('name', '')
  const results = (['forward', 'backward'] as const).map((direction) => {
    const path = [...outer.path, `${direction}_${name.replace(/^(forward|backward)_/, '')}`]
    const layer = outer.wrapped(className, config, path)
    const { all, last } = run(layer, kind, direction === 'backward')
    return isSequence ? layer.transpose(all, [1, 0, 2]) : (last[0] as Value)
  })
  // `null` says that they are not joined, and is not the same as nothing.
  const isApart = outer.config.names().includes('merge_mode') && !outer.config.has('merge_mode')
  const mode = isApart ? null : outer.word('merge_mode', ['concat', 'sum', 'mul', 'ave'], 'concat')
  switch (mode) {
    case null:
      return results
    case 'concat':
      return outer.call('Concat', results, { axis: -1 })
    case 'sum':
      return outer.call('Add', results)
    case 'mul':
      return outer.call('Mul', results)
    case 'ave':
      return outer.call('Mean', results)
  }
}

export const recurrentLayers: LayerTable = {
  Bidirectional: bidirectional,
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
  SimpleRNN: recurrent(simple),
}
