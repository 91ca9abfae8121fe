// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import type { Graph, GraphNode, Op } from '../graph/graph.ts'
import { importOnnx } from '../onnx/import.ts'
import { memoryModelSource } from '../source/model-source.ts'
import {
  buildModel,
  testNode as node,
  randomFloats,
  type TestModel,
  type TestNode,
  type TestTensor,
} from '../testing/index.ts'
import { assignLayouts } from './assign-layouts.ts'
import { foldAffine } from './fold-affine.ts'
import { fuseActivations } from './fuse-activations.ts'
import { fuseGelu } from './fuse-gelu.ts'
import { fuseResiduals } from './fuse-residuals.ts'
import { removeDeadNodes } from './remove-dead-nodes.ts'
import { simplifyMovement } from './simplify-movement.ts'

const random = seededRandom(7)
const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: randomFloats(
    random,
    dims.reduce((a, b) => a * b, 1),
  ),
})
const vector = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: Float32Array.from(values),
})

function load(
  nodes: readonly TestNode[],
  constants: TestModel['constants'] = {},
  x: readonly number[] = [1, 4, 6, 6],
) {
  const model = {
    inputs: { x },
    outputs: { y: null },
    nodes,
    constants: { w: floats(4, 4, 1, 1), ...constants },
  }
  return importOnnx(memoryModelSource(buildModel(model)))
}
const ops = (graph: Graph): readonly Op[] => graph.nodes.map((it) => it.op)
function only<K extends Op>(graph: Graph, op: K): Extract<GraphNode, { op: K }> {
  const found = graph.nodes.filter((it) => it.op === op)
  expect(found).toHaveLength(1)
  return found[0] as Extract<GraphNode, { op: K }>
}

describe('removeDeadNodes', () => {
  test('drops what no output needs', async () => {
    const graph = await load([node('Abs', 'x', 'a'), node('Neg', 'a', 'b'), node('Relu', 'x', 'y')])
    expect(ops(removeDeadNodes(graph))).toEqual(['unary'])
  })
})

describe('simplifyMovement', () => {
  test('joins reshapes and transposes, and drops those that change nothing', async () => {
    const graph = await load([
      node('Flatten', 'x', 'a'),
      node('Flatten', 'a', 'b', { axis: 0 }),
      node('Transpose', 'x', 'c', { perm: [0, 2, 3, 1] }),
      node('Transpose', 'c', 'd', { perm: [0, 3, 1, 2] }),
      node('Transpose', 'c', 'e', { perm: [1, 0, 2, 3] }),
      node('Flatten', 'd', 'f', { axis: 0 }),
      node('Flatten', 'e', 'g', { axis: 0 }),
      node('Sum', 'b f g', 'y'),
    ])
    const simple = removeDeadNodes(simplifyMovement(graph))
    expect(ops(simple)).toEqual(['reshape', 'transpose', 'reshape', 'reshape', 'binary', 'binary'])
    expect(only(simple, 'transpose').attributes.permutation).toEqual([2, 0, 3, 1])
    for (const it of simple.nodes) if (it.op === 'reshape') expect(it.inputs[0]?.dims.length).toBe(4)
  })
})

describe('foldAffine', () => {
  const bn = { s: vector(1, 2, 3, 4), b: vector(0, 1, 0, 1), m: vector(1, 0, 1, 0), v: vector(1, 1, 3, 3) }

  test('folds a batch normalization into weights and bias', async () => {
    const given = await load(
      [node('Conv', 'x w', 'c'), node('BatchNormalization', 'c s b m v', 'y', { epsilon: { float: 1 } })],
      bn,
    )
    const conv = only(await foldAffine(given), 'conv2d')
    const factors = [1 / Math.SQRT2, 2 / Math.SQRT2, 1.5, 2]
    const before = (await given.nodes[0]?.inputs[1]?.constant?.read(0, 16)) as Float32Array
    const after = (await conv.inputs[1]?.constant?.read(0, 16)) as Float32Array
    for (const [i, value] of after.entries()) {
      expect(value).toBeCloseTo((before[i] as number) * (factors[Math.floor(i / 4)] as number), 6)
    }
    const bias = (await conv.inputs[2]?.constant?.read(0, 4)) as Float32Array
    for (const [i, value] of [-Math.SQRT1_2, 1, -1.5, 1].entries()) expect(bias[i]).toBeCloseTo(value, 6)
  })

  test('folds sums and products with constants per channel', async () => {
    const constants = { p: { ...vector(1, 2, 3, 4), dims: [4, 1, 1] }, k: vector(2) }
    const given = await load(
      [node('Conv', 'x w', 'c'), node('Add', 'p c', 'a'), node('Mul', 'a k', 'm'), node('Sub', 'm p', 'y')],
      constants,
    )
    const conv = only(await foldAffine(given), 'conv2d')
    expect([...((await conv.inputs[2]?.constant?.read(0, 4)) ?? [])]).toEqual([1, 2, 3, 4])
  })

  test.each<[string, TestNode[]]>([
    ['the result is used twice', [node('Add', 'c k', 'a'), node('Sum', 'a c', 'y')]],
    ['the constant differs along the rows', [node('Add', 'c rows', 'y')]],
    ['the result is subtracted', [node('Sub', 'k c', 'y')]],
    ['the result is divided by 0', [node('Div', 'c zeros', 'y')]],
    ['the result is divided by what float32 cannot invert', [node('Div', 'c tiny', 'y')]],
    ['the result is multiplied by infinity', [node('Mul', 'c infinite', 'y')]],
  ])('leaves a convolution alone where %s', async (_why, nodes) => {
    const rows = { ...vector(1, 2, 3, 4, 5, 6), dims: [6, 1] }
    const perChannel = (...values: number[]) => ({ ...vector(...values), dims: [4, 1, 1] })
    const given = await load([node('Conv', 'x w', 'c'), ...nodes], {
      k: vector(2),
      rows,
      zeros: perChannel(1, 0, 1, 1),
      tiny: perChannel(1, 1e-40, 1, 1),
      infinite: perChannel(1, 1, Number.POSITIVE_INFINITY, 1),
    })
    expect(only(await foldAffine(given), 'conv2d').inputs[2]).toBeNull()
  })

  test('spells a normalization out that follows no linear layer', async () => {
    const given = await load([node('Relu', 'x', 'r'), node('BatchNormalization', 'r s b m v', 'y')], bn)
    expect(ops(await foldAffine(given))).toEqual(['unary', 'binary', 'binary'])
  })
})

describe('fuseActivations', () => {
  test.each<[string, TestNode, object]>([
    ['Relu', node('Relu', 'c', 'y'), { kind: 'clamp', alpha: 0, beta: Infinity }],
    [
      'LeakyRelu',
      node('LeakyRelu', 'c', 'y', { alpha: { float: 0.5 } }),
      { kind: 'leakyrelu', alpha: 0.5, beta: 0 },
    ],
    ['Clip', node('Clip', 'c zero six', 'y'), { kind: 'clamp', alpha: 0, beta: 6 }],
    ['Sigmoid', node('Sigmoid', 'c', 'y'), { kind: 'sigmoid', alpha: 0, beta: 0 }],
    ['HardSwish', node('HardSwish', 'c', 'y'), { kind: 'hardswish', alpha: 0, beta: 0 }],
  ])('moves %s into the step before', async (_name, last, activation) => {
    const scalar = (value: number): TestTensor => ({ dims: [], data: Float32Array.of(value) })
    const graph = fuseActivations(
      await load([node('Conv', 'x w', 'c'), last], { zero: scalar(0), six: scalar(6) }),
    )
    expect(ops(graph)).toEqual(['conv2d'])
    expect(only(graph, 'conv2d').attributes.activation).toEqual(activation)
  })

  test('finds x * sigmoid(x) and x * hardsigmoid(x)', async () => {
    const silu = await load([node('Conv', 'x w', 'c'), node('Sigmoid', 'c', 's'), node('Mul', 's c', 'y')])
    expect(only(fuseActivations(silu), 'conv2d').attributes.activation.kind).toBe('silu')
    expect(ops(fuseActivations(silu))).toEqual(['conv2d'])
    const gate = node('HardSigmoid', 'c', 's', { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
    const hard = await load([node('Conv', 'x w', 'c'), gate, node('Mul', 'c s', 'y')])
    expect(only(fuseActivations(hard), 'conv2d').attributes.activation.kind).toBe('hardswish')
    expect(ops(fuseActivations(hard))).toEqual(['conv2d'])
  })

  test('leaves a result alone that is read elsewhere too', async () => {
    const graph = await load([node('Conv', 'x w', 'c'), node('Relu', 'c', 'r'), node('Sum', 'r c', 'y')])
    expect(ops(fuseActivations(graph))).toEqual(['conv2d', 'unary', 'binary'])
  })
})

describe('fuseResiduals', () => {
  test('moves a sum and its activation into the later convolution', async () => {
    const graph = fuseResiduals(
      fuseActivations(
        await load([
          node('Conv', 'x w', 'a'),
          node('Conv', 'x w', 'b'),
          node('Add', 'b a', 's'),
          node('Relu', 's', 'y'),
        ]),
      ),
    )
    expect(ops(graph)).toEqual(['conv2d', 'conv2d'])
    const last = graph.nodes[1] as GraphNode & { op: 'conv2d' }
    expect(last.inputs[3]).toBe(graph.nodes[0]?.output)
    expect(last.attributes.activation.kind).toBe('clamp')
  })

  test.each<[string, TestNode[]]>([
    ['broadcast', [node('Conv', 'x w', 'a'), node('GlobalMaxPool', 'x', 'g'), node('Add', 'a g', 'y')]],
    ['of a value with itself', [node('Conv', 'x w', 'a'), node('Add', 'a a', 'y')]],
    ['after an activation', [node('Conv', 'x w', 'a'), node('Relu', 'a', 'r'), node('Add', 'r x', 'y')]],
    ['of a depthwise convolution', [node('Conv', 'x d', 'a', { group: 4 }), node('Add', 'a x', 'y')]],
  ])('leaves a sum alone that is %s', async (_what, nodes) => {
    const graph = fuseResiduals(fuseActivations(await load(nodes, { d: floats(4, 1, 1, 1) })))
    expect(ops(graph)).toContain('binary')
  })
})

describe('assignLayouts', () => {
  test('converts at the borders of a convolution region only', async () => {
    const { graph, channelsLast } = assignLayouts(
      await load([
        node('Conv', 'x w', 'a'),
        node('Relu', 'a', 'b'),
        node('Concat', 'a b', 'c', { axis: 1 }),
        node('MaxPool', 'c', 'd', { kernel_shape: [2, 2] }),
        node('Flatten', 'd', 'y'),
      ]),
    )
    expect(ops(graph)).toEqual(['transpose', 'conv2d', 'unary', 'concat', 'pool2d', 'transpose', 'reshape'])
    expect(graph.nodes.map((it) => channelsLast.has(it.output))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ])
  })

  test('moves no byte where height and width, or channels, are 1', async () => {
    const { graph } = assignLayouts(
      await load(
        [node('Conv', 'x k', 'a'), node('GlobalAveragePool', 'a', 'b'), node('Flatten', 'b', 'y')],
        { k: floats(3, 1, 1, 1) },
        [1, 1, 6, 6],
      ),
    )
    expect(ops(graph)).toEqual(['reshape', 'conv2d', 'pool2d', 'reshape', 'reshape'])
  })

  test('sees that a transpose to NCHW is what it wants undone', async () => {
    const nodes = [node('Transpose', 'x', 't', { perm: [0, 3, 1, 2] }), node('Conv', 't w', 'y')]
    const { graph } = assignLayouts(await load(nodes, {}, [1, 6, 6, 4]))
    expect(ops(graph)).toEqual(['reshape', 'conv2d', 'transpose'])
  })
})

describe('fuseGelu', () => {
  const scalar = (value: number): TestTensor => ({ dims: [], data: Float32Array.of(value) })
  const constants = {
    half: scalar(0.5),
    one: scalar(1),
    root: scalar(Math.SQRT2),
    inverse: scalar(Math.SQRT1_2),
  }
  const conv = node('Conv', 'x w', 'c')
  const erf = [node('Erf', 'd', 'e'), node('Add', 'e one', 'f')]
  const fusedOps = async (nodes: readonly TestNode[]) =>
    ops(await fuseGelu(await load([conv, ...nodes], constants)))

  test.each<[string, readonly TestNode[]]>([
    [
      '(x / √2), x (1 + erf), 0.5 last',
      [node('Div', 'c root', 'd'), ...erf, node('Mul', 'c f', 'g'), node('Mul', 'g half', 'y')],
    ],
    [
      '(x √½), 0.5 x first',
      [node('Mul', 'c inverse', 'd'), ...erf, node('Mul', 'half c', 'g'), node('Mul', 'f g', 'y')],
    ],
    [
      '0.5 (1 + erf) first',
      [node('Mul', 'inverse c', 'd'), ...erf, node('Mul', 'f half', 'g'), node('Mul', 'g c', 'y')],
    ],
  ])('takes it into the convolution: %s', async (_, nodes) => {
    const graph = await fuseGelu(await load([conv, ...nodes], constants))
    expect(only(graph, 'conv2d').attributes.activation.kind).toBe('gelu')
    expect(ops(graph)).toEqual(['conv2d'])
  })

  test.each<[string, readonly TestNode[]]>([
    [
      'another factor',
      [node('Div', 'c root', 'd'), ...erf, node('Mul', 'c f', 'g'), node('Mul', 'g one', 'y')],
    ],
    [
      'another divisor',
      [node('Div', 'c half', 'd'), ...erf, node('Mul', 'c f', 'g'), node('Mul', 'g half', 'y')],
    ],
    ['√2 / x', [node('Div', 'root c', 'd'), ...erf, node('Mul', 'c f', 'g'), node('Mul', 'g half', 'y')]],
    [
      'x that is read elsewhere',
      [
        node('Div', 'c root', 'd'),
        ...erf,
        node('Mul', 'c f', 'g'),
        node('Mul', 'g half', 'h'),
        node('Add', 'h c', 'y'),
      ],
    ],
    [
      'erf that is read elsewhere',
      [
        node('Div', 'c root', 'd'),
        ...erf,
        node('Mul', 'c f', 'g'),
        node('Mul', 'g half', 'h'),
        node('Add', 'h e', 'y'),
      ],
    ],
    [
      'another x in the product',
      [
        node('Div', 'c root', 'd'),
        ...erf,
        node('Abs', 'x', 'z'),
        node('Mul', 'z f', 'g'),
        node('Mul', 'g half', 'y'),
      ],
    ],
  ])('leaves %s', async (_, nodes) => {
    expect(await fusedOps(nodes)).toHaveLength(nodes.length + 1)
  })
})
