// SPDX-License-Identifier: Apache-2.0
// Large and hostile graphs that a few lines make: how much work they cause is counted, and what they may ask for is bounded.
import { create, toBinary } from '@bufbuild/protobuf'
import { createSession } from '@mlcapsule/inference-kernels'
import { type Operator, operatorOf } from '@mlcapsule/inference-kernels/program'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { describe, expect, test, vi } from 'vitest'
import { compileGraph, importOnnx, memoryModelSource } from '../src/index.ts'
import { ModelProtoSchema } from '../src/onnx/generated/onnx_pb.ts'
import {
  buildModel,
  graphInit,
  testNode as node,
  type TestModel,
  type TestNode,
  type TestTensor,
} from '../src/testing/index.ts'

const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const scalar = (value: bigint): TestTensor => ({ dims: [], data: BigInt64Array.of(value) })
const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(1),
})

/** Nodes one after another, from x (or what `first` names) to y. */
function chain(
  count: number,
  make: (from: string, to: string, i: number) => readonly TestNode[],
  first = 'x',
): TestNode[] {
  const name = (i: number) => (i === 0 ? first : i === count ? 'y' : `v${i}`)
  return Array.from({ length: count }, (_, i) => make(name(i), name(i + 1), i)).flat()
}

const load = (model: TestModel) => importOnnx(memoryModelSource(buildModel(model)))
const compile = async (model: TestModel) => compileGraph(await load(model))
const around = (
  nodes: readonly TestNode[],
  constants: Record<string, TestTensor> = {},
  more: Partial<TestModel> = {},
) => ({
  opset: 18,
  inputs: { x: ['n', 4] },
  outputs: { y: null },
  constants,
  nodes,
  ...more,
})

describe('work grows with the number of nodes', () => {
  test.each([
    ['operators that pass their input on', 'Flatten', (a: string, b: string) => [node('Flatten', a, b)]],
    [
      'sizes that differ each time',
      'Concat',
      (a: string, b: string) => [node('Concat', `${a} row`, b, { axis: 0 })],
    ],
    [
      'sizes that depend on elements',
      'NonZero',
      (a: string, b: string, i: number) => [node('NonZero', a, `i${i}`), node('Cast', `i${i}`, b, { to: 1 })],
    ],
  ] as const)('%s', async (_what, operator, make) => {
    const infer = vi.spyOn(operatorOf(operator) as Operator, 'infer')
    try {
      const counts: number[] = []
      for (const count of [500, 1000]) {
        infer.mockClear()
        await compile(around(chain(count, make), { row: floats(1, 4) }))
        counts.push(infer.mock.calls.length)
      }
      expect(counts[0]).toBeGreaterThan(0)
      expect(counts[1]).toBeLessThan(2.1 * (counts[0] as number))
    } finally {
      infer.mockRestore()
    }
  })

  test('of which there may be as many as a file holds; a program that would be too long is refused', async () => {
    const graph = await load(around(chain(60_000, (a, b) => [node('Relu', a, b)])))
    expect(graph.nodes.length).toBe(60_000)
    await expect(compileGraph(graph)).rejects.toMatchObject({ code: 'PROGRAM_LIMIT_EXCEEDED' })
    expect((await compile(around(chain(60_000, (a, b) => [node('Identity', a, b)])))).summary.stepCount).toBe(
      0,
    )
  })

  test('a long program is compiled', async () => {
    const nodes = chain(12_000, (a, b, i) => [node(i % 2 === 0 ? 'Sin' : 'Softplus', a, b)])
    expect((await compile(around(nodes))).summary.stepCount).toBe(12_000)
  })

  test.each([
    ['inputs of Sum', node('Sum', new Array(150_000).fill('x').join(' '), 'y')],
    ['inputs of Concat', node('Concat', new Array(150_000).fill('x').join(' '), 'y', { axis: 0 })],
    [
      'outputs',
      { op: 'Split', inputs: ['x'], outputs: ['y', ...Array.from({ length: 150_000 }, (_, i) => `y${i}`)] },
    ],
  ])('more %s than a program has steps are refused', async (_what, given) => {
    await expect(load(around([given]))).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' })
  })

  test('of which a branch may read as many names of the graph around it', async () => {
    const nodes = Array.from({ length: 150_000 }, (_, i) => node('Relu', 'x', `t${i}`))
    const branch = { graph: { outputs: ['t0'], nodes } }
    const choice = { ...node('If', 'mode', 'y'), attributes: { then_branch: branch, else_branch: branch } }
    const mode = { dims: [], data: Uint8Array.of(1) }
    expect((await load(around([choice], { mode }))).nodes.length).toBe(1)
  })

  test('thousands of Ifs one after another', async () => {
    const nodes = chain(2000, (a, b, i) => [
      {
        ...node('If', 'mode', b),
        attributes: {
          then_branch: { graph: { outputs: [`t${i}`], nodes: [node('Relu', a, `t${i}`)] } },
          else_branch: { graph: { outputs: [a], nodes: [] } },
        },
      },
    ])
    const model = around(nodes, {}, { inputs: { x: ['n', 4], mode: [] }, inputTypes: { mode: 'bool' } })
    expect((await compile(model)).summary.stepCount).toBe(4000)
  })
})

describe('constants that come from constants', () => {
  const constants = { c: floats(2, 3, 4), shape: ints(2, 3, 4), k: floats(8), w: floats(4, 8) }
  const add = node('Add', 'x y', 'z')
  const from = (nodes: readonly TestNode[]) =>
    around([...nodes, add], constants, { inputs: { x: [1] }, outputs: { z: null } })
  const drain = async (model: TestModel) => {
    const { weights } = await compile(model)
    let sizeBytes = 0
    for await (const chunk of weights.chunks()) sizeBytes += chunk.length
    return sizeBytes
  }

  test('are transposed, scaled and folded ten thousand times', async () => {
    const transposed = chain(9999, (a, b) => [node('Transpose', a, b, { perm: [2, 0, 1] })], 'c')
    expect(await drain(from(transposed))).toBe(128)
    const scaled = chain(10_000, (a, b, i) => [i === 0 ? node('MatMul', 'x w', b) : node('Mul', `${a} k`, b)])
    expect(await drain(around(scaled, constants))).toBe(128 + 64 + 128)
    const folded = chain(10_000, (a, b) => [node('Sin', a, b)], 'c')
    expect((await compile(from(folded))).summary.stepCount).toBe(1)
  })

  test('are refused where each has to be read through all before it', async () => {
    const mixed = chain(
      1000,
      (a, b, i) => [
        i % 2 === 0 ? node('Transpose', a, b, { perm: [2, 0, 1] }) : node('Reshape', `${a} shape`, b),
      ],
      'c',
    )
    await expect(compile(from(mixed))).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' })
  })

  test('more results than a program may have are folded all the same', async () => {
    const nodes = chain(500, (a, b, i) => [node('Sin', `k${i % 2}`, `s${i}`), node('Add', `${a} s${i}`, b)])
    const model = around(nodes, { k0: floats(1), k1: floats(4) })
    expect((await compile(model)).summary.stepCount).toBe(500)
  })

  test('are left to the program where folding them would take too much', async () => {
    const nodes = chain(200, (a, b, i) => [
      node('ConstantOfShape', 'big', `c${i}`),
      node('Sin', `c${i}`, `d${i}`),
      node('ReduceMax', `d${i}`, `m${i}`),
      node('Add', `${a} m${i}`, b),
    ])
    const { summary } = await compile(around(nodes, { big: ints(2000, 1000) }))
    expect(summary.stepCount).toBeGreaterThan(200)
  })
})

describe('absurd sizes', () => {
  const big = 2n ** 40n
  test.each<[string, TestModel]>([
    [
      'Range',
      around(
        [node('Range', 'zero big one', 'r'), node('Cast', 'r', 'f', { to: 1 }), node('Add', 'x f', 'y')],
        { zero: scalar(0n), big: scalar(big), one: scalar(1n) },
      ),
    ],
    ['Expand', around([node('Expand', 'x to', 'y')], { to: ints(2 ** 20, 2 ** 20, 1, 4) })],
    ['Tile', around([node('Tile', 'x by', 'y')], { by: ints(2 ** 20, 2 ** 40) })],
    ['Pad', around([node('Pad', 'x by', 'y')], { by: ints(0, 2 ** 33, 0, 2 ** 33) })],
    ['OneHot', around([node('OneHot', 'x big values', 'y')], { big: scalar(big), values: floats(2) })],
    [
      'ConstantOfShape',
      around([node('ConstantOfShape', 'to', 'c'), node('Add', 'x c', 'y')], { to: ints(2 ** 31, 2 ** 31) }),
    ],
    [
      'Resize',
      around(
        [{ op: 'Resize', inputs: ['i', '', '', 'to'], outputs: ['y'] }],
        { to: ints(1, 1, 2 ** 31, 2 ** 31) },
        { inputs: { i: [1, 1, 4, 4] } },
      ),
    ],
    [
      'EyeLike',
      around(
        [node('Expand', 'x to', 'e'), node('EyeLike', 'e', 'y')],
        { to: ints(2 ** 31, 2 ** 31) },
        { inputs: { x: [1, 1] } },
      ),
    ],
    [
      'an empty tensor',
      around([node('Reshape', 'x to', 'y')], { to: ints(0, 2 ** 40, 2 ** 40) }, { inputs: { x: [0, 4] } }),
    ],
    ['a size of inputs', around([node('Relu', 'x', 'y')], {}, { inputs: { x: [2 ** 31, 2 ** 31] } })],
  ])('%s is refused', async (_what, model) => {
    await expect(compile(model)).rejects.toMatchObject({
      code: expect.stringMatching(/^MODEL_(TOO_LARGE|SHAPE_MISMATCH|OPERATOR_UNSUPPORTED)$/),
    })
  })

  test.each<[string, readonly TestNode[]]>([
    [
      'Range',
      [node('Squeeze', 'k', 'last'), node('Range', 'zero last one', 'r'), node('Cast', 'r', 'y', { to: 1 })],
    ],
    ['Expand', [node('Concat', 'k k', 'to', { axis: 0 }), node('Expand', 'f to', 'y')]],
    ['Tile', [node('Tile', 'f k', 'y')]],
    ['ConstantOfShape', [node('Concat', 'k k', 'to', { axis: 0 }), node('ConstantOfShape', 'to', 'y')]],
    ['OneHot', [node('OneHot', 'ten k values', 'y')]],
    ['Pad', [node('Concat', 'k k', 'by', { axis: 0 }), node('Pad', 'f by', 'y')]],
  ])('%s by what a query says is refused when it is run, and the session goes on', async (_what, nodes) => {
    const model: TestModel = {
      opset: 18,
      inputs: { k: [1] },
      inputTypes: { k: 'int64' },
      outputs: { y: null },
      constants: { zero: scalar(0n), one: scalar(1n), f: floats(1), values: floats(2), ten: ints(1, 2) },
      nodes,
    }
    const { program, weights } = await compile(model)
    const readInto = async (_offset: number, target: Uint8Array) => {
      for await (const chunk of weights.chunks()) target.set(chunk.subarray(0, target.length))
    }
    const session = await createSession({
      kernels: referenceKernels,
      program,
      weights: { sizeBytes: weights.sizeBytes, readInto },
      maxMemorySizeBytes: 2 ** 20,
    })
    const run = (k: bigint) =>
      session.run(new Map([['k', { dtype: 'int64', shape: [1], data: BigInt64Array.of(k) }]]))
    for (const k of [10n ** 6n, 2n ** 31n, 2n ** 62n, -(2n ** 62n)]) {
      const outcome = (() => {
        try {
          return run(k).get('y')?.data.length
        } catch (error) {
          return error
        }
      })()
      // A negative end of a Range gives nothing; all else is refused.
      if (outcome !== 0) {
        expect(outcome).toMatchObject({
          code: expect.stringMatching(
            /^(PROGRAM_(INVALID|TOO_LARGE)|KERNEL_(MEMORY_TOO_LARGE|VALUE_INVALID))$/,
          ),
        })
      }
    }
    expect(run(3n).get('y')?.data.length).toBeGreaterThan(0)
    session.dispose()
  })
})

test('inputs with thousands of symbols are refused for what a program may hold', async () => {
  const inputs = Object.fromEntries(
    Array.from({ length: 2000 }, (_, i) => [`x${i}`, Array.from({ length: 8 }, (__, d) => `s${i}_${d}`)]),
  )
  await expect(compile(around([node('Relu', 'x0', 'y')], {}, { inputs }))).rejects.toMatchObject({
    code: 'PROGRAM_LIMIT_EXCEEDED',
  })
})

test('names that look like ours are names of inputs all the same', async () => {
  const graph = await load(
    around(
      [node('NonZero', 'x', 'i'), node('Cast', 'i', 'y', { to: 1 })],
      {},
      { inputs: { x: ['?1', '?'] } },
    ),
  )
  expect(graph.inputs[0]?.dims).toEqual(['x_dim_0', 'x_dim_1'])
  expect(graph.outputs[0]?.value.dims).toEqual([2, '?1'])
})

test.each([
  ['Loop', '', 'loops'],
  ['Scan', '', 'loops'],
  ['SequenceConstruct', '', 'sequences'],
  ['SplitToSequence', '', 'sequences'],
  ['OptionalGetElement', '', 'optional'],
  ['StringConcat', '', 'strings'],
  ['RandomNormalLike', '', 'random'],
  ['Own', 'my.domain', 'function of this model'],
  ['Other', 'my.domain', 'this domain'],
  ['Nonsense', '', 'the operator is not supported'],
])('%s (%s) is refused by name, with a reason: %s', async (op, domain, reason) => {
  const graph = graphInit(around([{ ...node(op, 'x', 'y'), name: 'the node', domain }]))
  const functions = [{ name: 'Own', domain: 'my.domain' }]
  const opsetImport = [
    { domain: '', version: 18n },
    { domain: 'my.domain', version: 1n },
  ]
  const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport, graph, functions }))
  const error = await importOnnx(memoryModelSource(bytes)).catch((it: unknown) => it)
  expect(error).toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
  expect((error as { issues: unknown }).issues).toMatchObject([
    { node: 'the node', operator: op, reason: expect.stringContaining(reason) },
  ])
})
