// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { memoryModelSource } from '../source/model-source.ts'
import {
  buildModel,
  testNode as node,
  type TestGraph,
  type TestModel,
  type TestNode,
  type TestTensor,
} from '../testing/build-model.ts'
import { importOnnx } from './import.ts'

const load = (model: TestModel): Promise<Graph> => importOnnx(memoryModelSource(buildModel(model)))
const bool = (isTrue: boolean): TestTensor => ({ dims: [], data: Uint8Array.of(isTrue ? 1 : 0) })
const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const branch = (outputs: string, ...nodes: TestNode[]): TestGraph => ({ outputs: outputs.split(' '), nodes })
const choice = (condition: string, output: string, then: TestGraph, otherwise: TestGraph): TestNode => ({
  op: 'If',
  inputs: [condition],
  outputs: output.split(' '),
  attributes: { then_branch: { graph: then }, else_branch: { graph: otherwise } },
})
const model = (nodes: readonly TestNode[], more: Partial<TestModel> = {}): TestModel => ({
  inputs: { x: ['n', 3], mode: [] },
  inputTypes: { mode: 'bool' },
  outputs: { y: null },
  nodes,
  ...more,
})

/** Operations, those of branches in brackets. */
const shapeOf = (nodes: readonly GraphNode[]): unknown[] =>
  nodes.map((it) =>
    it.op === 'if'
      ? it.attributes.branches.map((b) => shapeOf(b.nodes))
      : it.op === 'operator'
        ? it.attributes.operator
        : it.op,
  )

const relu = branch('a', node('Relu', 'x', 'a'))
const negated = branch('b', node('Neg', 'x', 'b'))

describe('a condition that is known', () => {
  test.each([
    ['a constant', [choice('c', 'y', relu, negated)], { c: bool(true) }, ['unary']],
    ['false', [choice('c', 'y', relu, negated)], { c: bool(false) }, ['unary']],
    [
      'computed from fixed dims',
      [
        node('Shape', 'x', 's'),
        node('Gather', 's one', 'd'),
        node('Equal', 'd three', 'c'),
        node('Squeeze', 'c', 'c0'),
        choice('c0', 'y', relu, negated),
      ],
      { one: ints(1), three: ints(3) },
      ['unary'],
    ],
  ] as const)('leaves the one branch: %s', async (_what, nodes, constants, expected) => {
    const graph = await load(model(nodes, { constants, inputs: { x: [2, 3] }, inputTypes: {} }))
    expect(shapeOf(graph.nodes)).toEqual(expected)
    expect(graph.outputs[0]?.value.dims).toEqual([2, 3])
  })

  test('does not hold what is in the other branch against the model, nor its other rank', async () => {
    const loop = branch('b', node('Loop', 'x', 'b'))
    const graph = await load(model([choice('c', 'y', relu, loop)], { constants: { c: bool(true) } }))
    expect(shapeOf(graph.nodes)).toEqual(['unary'])
    const flat = branch('b', node('Flatten', 'x', 'b', { axis: 0 }), node('Neg', 'b', 'd'))
    const other = await load(model([choice('c', 'y', relu, flat)], { constants: { c: bool(true) } }))
    expect(other.outputs[0]?.value.dims).toEqual(['n', 3])
  })
})

test('operators of a branch that is left out are counted, whatever they are called', async () => {
  const nodes = [choice('c', 'y', relu, branch('b', node('constructor', 'x', 'b')))]
  const graph = await load(model(nodes, { constants: { c: bool(true) } }))
  expect(graph.source.operators).toEqual({ If: 1, Relu: 1, constructor: 1 })
})

describe('a condition that a query decides', () => {
  test('keeps both branches, which read values of the graph around them', async () => {
    const graph = await load(model([choice('mode', 'y', relu, negated)]))
    expect(shapeOf(graph.nodes)).toEqual([[['unary'], ['unary']]])
    expect(graph.outputs[0]?.value.dims).toEqual(['n', 3])
  })

  test('holds for a comparison of sizes that was true in every trial', async () => {
    const nodes = [
      node('Shape', 'x', 's'),
      node('Gather', 's zero', 'd'),
      node('Less', 'd many', 'c'),
      choice('c', 'y', relu, negated),
    ]
    const constants = {
      zero: { dims: [], data: BigInt64Array.of(0n) },
      many: { dims: [], data: BigInt64Array.of(2n ** 40n) },
    }
    const graph = await load(model(nodes, { constants }))
    expect(shapeOf(graph.nodes).at(-1)).toEqual([['unary'], ['unary']])
  })

  test('nests; dims that differ get a name of their own', async () => {
    const inner = choice('mode', 'i', branch('p', node('Concat', 'x x', 'p', { axis: 0 })), branch('x'))
    const outer = choice(
      'mode',
      'y',
      branch('o', inner, node('Relu', 'i', 'o')),
      branch('q', node('Neg', 'x', 'q')),
    )
    const graph = await load(model([outer]))
    expect(shapeOf(graph.nodes)).toEqual([[[[['concat'], []], 'unary'], ['unary']]])
    const { dims = [] } = graph.outputs[0]?.value ?? {}
    expect(dims[0]).toMatch(/^\?/)
    expect(dims[1]).toBe(3)
  })

  test('may give several outputs, outer values, inputs and constants among them', async () => {
    const constants = { k: { dims: [1], data: Float32Array.of(7) } }
    const then = { ...branch('x k'), constants }
    const otherwise = branch('e f', node('Neg', 'x', 'e'), node('ReduceMax', 'x', 'm', { keepdims: 0 }), {
      ...node('Reshape', 'm one', 'f'),
    })
    const graph = await load(
      model([choice('mode', 'y z', then, otherwise)], {
        outputs: { y: null, z: null },
        constants: { one: ints(1) },
      }),
    )
    expect(graph.outputs.map(({ value }) => value.dims)).toEqual([['n', 3], [1]])
    const [first] = graph.nodes
    expect(
      first?.op === 'if' && first.attributes.branches[0].outputs.map((it) => it.constant !== null),
    ).toEqual([false, true])
  })

  test('what fails in a branch for some sizes says nothing of the graph around it', async () => {
    // The branch needs n = 8 in a model that takes any n.
    const nodes = [
      node('Shape', 'x', 's'),
      node('Gather', 's zero', 'd'),
      node('Equal', 'd eight', 'c'),
      choice('c', 'y', branch('p', node('MatMul', 'w x', 'p')), branch('q', node('Neg', 'x', 'q'))),
      node('Relu', 'x', 'z'),
      node('Concat', 'z z', 'z2', { axis: 0 }),
      node('Concat', 'x y', 'w2', { axis: 0 }),
    ]
    const constants = {
      zero: { dims: [], data: BigInt64Array.of(0n) },
      eight: { dims: [], data: BigInt64Array.of(8n) },
      w: { dims: [2, 8], data: new Float32Array(16) },
    }
    const graph = await load(model(nodes, { constants, outputs: { y: null, z: null, z2: null } }))
    expect(graph.outputs[1]?.value.dims).toEqual(['n', 3])
    expect(graph.outputs[2]?.value.dims[1]).toBe(3)
  })
})

describe('branches that are refused', () => {
  const rank = branch('b', node('ReduceMax', 'x', 'b', { keepdims: 0 }))
  test.each<[string, readonly TestNode[], string]>([
    ['other ranks', [choice('mode', 'y', relu, rank)], 'MODEL_OPERATOR_UNSUPPORTED'],
    [
      'other dtypes',
      [choice('mode', 'y', relu, branch('s', node('Shape', 'x', 's')))],
      'MODEL_OPERATOR_UNSUPPORTED',
    ],
    ['other numbers of outputs', [choice('mode', 'y', relu, branch('x x'))], 'MODEL_GRAPH_INVALID'],
    [
      'no branch',
      [{ ...node('If', 'mode', 'y'), attributes: { then_branch: { graph: relu } } }],
      'MODEL_GRAPH_INVALID',
    ],
    ['no condition', [choice('', 'y', relu, relu)], 'MODEL_GRAPH_INVALID'],
    [
      'a name that nothing defines',
      [choice('mode', 'y', branch('a', node('Relu', 'q', 'a')), relu)],
      'MODEL_VALUE_UNDEFINED',
    ],
    ['an output that nothing defines', [choice('mode', 'y', branch('q'), relu)], 'MODEL_VALUE_UNDEFINED'],
    [
      'a name of the graph around it defined anew',
      [choice('mode', 'y', branch('x', node('Relu', 'x', 'x')), relu)],
      'MODEL_NAME_DUPLICATE',
    ],
    [
      'a constant of the graph around it defined anew',
      [choice('mode', 'y', { ...branch('x'), constants: { x: ints(1) } }, relu)],
      'MODEL_NAME_DUPLICATE',
    ],
    [
      'a name of the other branch',
      [choice('mode', 'y', relu, branch('q', node('Neg', 'a', 'q')))],
      'MODEL_VALUE_UNDEFINED',
    ],
    ['its own result', [choice('mode', 'y', branch('q', node('Neg', 'y', 'q')), relu)], 'MODEL_GRAPH_CYCLIC'],
    [
      'nodes that wait for one another',
      [choice('mode', 'y', branch('p', node('Neg', 'q', 'p'), node('Neg', 'p', 'q')), relu)],
      'MODEL_GRAPH_CYCLIC',
    ],
    [
      'an operator that is not supported',
      [choice('mode', 'y', branch('p', node('Loop', 'x', 'p')), relu)],
      'MODEL_OPERATOR_UNSUPPORTED',
    ],
    [
      'an attribute that is not known',
      [
        {
          ...choice('mode', 'y', relu, relu),
          attributes: { then_branch: { graph: relu }, else_branch: { graph: relu }, x: 1 },
        },
      ],
      'MODEL_OPERATOR_UNSUPPORTED',
    ],
  ])('%s', async (_what, nodes, code) => {
    await expect(load(model(nodes))).rejects.toMatchObject({ code })
  })

  test.each<[string, TestTensor]>([
    ['no element', { dims: [0], data: new Uint8Array(0) }],
    ['two elements', { dims: [2], data: Uint8Array.of(1, 0) }],
    ['a float', { dims: [], data: Float32Array.of(1) }],
  ])('a condition that is %s', async (_what, c) => {
    const nodes = [choice('c', 'y', relu, negated)]
    await expect(load(model(nodes, { constants: { c } }))).rejects.toMatchObject({
      code: 'MODEL_GRAPH_INVALID',
    })
  })

  test('two branches may use the same names', async () => {
    const graph = await load(model([choice('mode', 'y', relu, branch('a', node('Neg', 'x', 'a')))]))
    expect(shapeOf(graph.nodes)).toEqual([[['unary'], ['unary']]])
  })

  test('a subgraph as deep as a file may hold, a thousand Ifs in a row', async () => {
    const deep = (left: number): TestGraph =>
      left === 0 ? branch('x') : branch(`y${left}`, choice('mode', `y${left}`, deep(left - 1), branch('x')))
    const names = (left: number): TestNode => choice('mode', 'y', deep(left), branch('x'))
    expect((await load(model([names(8)]))).nodes.length).toBe(1)
    await expect(load(model([names(60)]))).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' })
    const row = Array.from({ length: 1000 }, (_, i) =>
      choice('mode', i === 999 ? 'y' : `y${i}`, branch(i === 0 ? 'x' : `y${i - 1}`), relu),
    )
    expect((await load(model(row))).nodes.length).toBe(1000)
  })
})
