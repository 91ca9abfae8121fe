// SPDX-License-Identifier: Apache-2.0
// Products, broadcasting and moving through the whole engine, against definitions over index lists.
import type { Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Layout } from '../program/types.ts'
import { noActivation, ProgramBuilder } from '../testing/program-builder.ts'
import { SeededRandom } from '../testing/random.ts'
import { runProgram } from '../testing/run-program.ts'

const numRuns = process.env.SLOW === '1' ? 2000 : 80
const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** All indices of a shape, row-major. */
function indices(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (list, dim) => list.flatMap((index) => Array.from({ length: dim }, (_, i) => [...index, i])),
    [[]],
  )
}

/** Row-major reading with broadcasting: an index beyond a dimension of 1 reads its only element. */
function at(data: ArrayLike<number>, dims: readonly number[], index: readonly number[]): number {
  const own = index.slice(index.length - dims.length)
  return data[dims.reduce((flat, dim, d) => flat * dim + (dim === 1 ? 0 : (own[d] as number)), 0)] as number
}

/** Puts a value into another layout, or back. */
function relaid(p: ProgramBuilder, value: number, dims: readonly number[], layout: Layout): number {
  const permutation = dims.map((_, d) => d)
  return p.step({ op: 'transpose', input: value, output: p.arena(dims, { layout }), permutation })
}

function numbers(tensor: Tensor | undefined): number[] {
  return Array.from((tensor?.data ?? []) as ArrayLike<number>)
}

function close(actual: Tensor | undefined, expected: readonly number[]): void {
  expect(actual?.data.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(Number(actual?.data[i])).toBeCloseTo(value, 4)
}

const dims4 = fc.tuple(
  ...([0, 0, 0, 0].map(() => fc.integer({ min: 1, max: 4 })) as never[]),
) as fc.Arbitrary<number[]>
const layout = fc.constantFrom<Layout>('row-major', 'nhwc')

describe('moving', () => {
  test('transpose permutes logical dimensions between any two layouts', async () => {
    const permutations = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        dims4,
        permutations,
        layout,
        layout,
        fc.integer(),
        async (dims, permutation, from, to, seed) => {
          const data = new SeededRandom(seed).floats(size(dims))
          const p = new ProgramBuilder()
          const input = relaid(p, p.input('x', dims), dims, from)
          const turned = permutation.map((d) => dims[d] as number)
          const y = p.step({ op: 'transpose', input, output: p.arena(turned, { layout: to }), permutation })
          p.output('y', relaid(p, y, turned, 'row-major'))
          const answer = await runProgram(p, { x: { shape: dims, data } })
          const expected = indices(turned).map((index) => {
            const source = new Array<number>(4)
            for (const [i, d] of permutation.entries()) source[d] = index[i] as number
            return at(data, dims, source)
          })
          expect(numbers(answer.get('y'))).toEqual(expected)
        },
      ),
      { numRuns },
    )
  })

  test('concat, slice and pad along every axis, in both layouts', async () => {
    const axes = fc.integer({ min: 0, max: 3 })
    await fc.assert(
      fc.asyncProperty(dims4, axes, layout, fc.integer(), async (dims, axis, kind, seed) => {
        const data = new SeededRandom(seed).floats(size(dims))
        const n = dims[axis] as number
        const p = new ProgramBuilder()
        const x = relaid(p, p.input('x', dims), dims, kind)
        const joined = p.step({
          op: 'concat',
          inputs: [x, x],
          output: p.arena(dims.with(axis, 2 * n), { layout: kind }),
          axis,
        })
        // Backward through both halves, every second one.
        const back = p.step({
          op: 'slice',
          input: joined,
          output: p.arena(dims, { layout: kind }),
          starts: [0, 0, 0, 0].with(axis, 2 * n - 1),
          steps: [1, 1, 1, 1].with(axis, -2),
        })
        const wide = dims.with(axis, n + 3)
        const before = [0, 0, 0, 0].with(axis, 2)
        const y = p.step({
          op: 'pad',
          input: back,
          output: p.arena(wide, { layout: kind }),
          before,
          value: 9,
        })
        p.output('y', relaid(p, y, wide, 'row-major'))
        const answer = await runProgram(p, { x: { shape: dims, data } })
        const expected = indices(wide).map((index) => {
          const i = (index[axis] as number) - 2
          if (i < 0 || i >= n) return 9
          return at(data, dims, index.with(axis, (2 * n - 1 - 2 * i) % n))
        })
        expect(numbers(answer.get('y'))).toEqual(expected)
      }),
      { numRuns },
    )
  })

  test('other dtypes move bit for bit, padded by their own values', async () => {
    const p = new ProgramBuilder()
    const ids = p.input('ids', [1, 2], 'int64')
    const output = p.arena([1, 4], { dtype: 'int64' })
    p.output('y', p.step({ op: 'pad', input: ids, output, before: [0, 1], value: -7 }))
    const { createSession } = await import('./create-session.ts')
    const { referenceKernels } = await import('../reference/index.ts')
    const session = await createSession({ ...p.build(), kernels: referenceKernels })
    const data = BigInt64Array.of(-(2n ** 62n), 5n)
    const answer = session.run(new Map([['ids', { dtype: 'int64', shape: [1, 2], data }]]))
    expect(answer.get('y')?.data).toEqual(BigInt64Array.of(-7n, -(2n ** 62n), 5n, -7n))
  })
})

describe('broadcasting', () => {
  const masks = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })
  const functions = {
    add: (x: number, y: number) => x + y,
    sub: (x: number, y: number) => x - y,
    mul: (x: number, y: number) => x * y,
    min: (x: number, y: number) => (x < y ? x : y),
    max: (x: number, y: number) => (x > y ? x : y),
    prelu: (x: number, y: number) => (x < 0 ? x * y : x),
  }
  const kinds = fc.constantFrom(...(Object.keys(functions) as (keyof typeof functions)[]))

  test('binary repeats dimensions of 1 and missing ones, whatever the layouts', async () => {
    await fc.assert(
      fc.asyncProperty(dims4, masks, layout, kinds, fc.integer(), async (dims, mask, kind, binary, seed) => {
        const random = new SeededRandom(seed)
        const first = mask.indexOf(false)
        const small = dims.map((dim, d) => (mask[d] ? 1 : dim)).slice(first < 0 ? 4 : first)
        const [a, b] = [random.floats(size(dims)), random.floats(size(small))]
        const p = new ProgramBuilder()
        const x = relaid(p, p.input('a', dims), dims, kind)
        const y = p.step({
          op: 'binary',
          a: x,
          b: p.input('b', small),
          output: p.arena(dims, { layout: kind }),
          binary,
          activation: { kind: 'clamp', alpha: -0.75, beta: 10 },
        })
        p.output('y', relaid(p, y, dims, 'row-major'))
        const answer = await runProgram(p, { a: { shape: dims, data: a }, b: { shape: small, data: b } })
        const expected = indices(dims).map((index) =>
          Math.max(-0.75, functions[binary](at(a, dims, index), at(b, small, index))),
        )
        close(answer.get('y'), expected)
      }),
      { numRuns },
    )
  })

  test('matmul broadcasts the dimensions before the last two', async () => {
    const batches = fc.constantFrom<[number[], number[]]>(
      [[], []],
      [[3], [3]],
      [[3], []],
      [[], [3]],
      [
        [2, 1, 3],
        [4, 1],
      ],
      [
        [1, 2, 1, 2],
        [2, 1, 2, 1],
      ],
    )
    const counts = fc.tuple(
      ...([0, 0, 0].map(() => fc.integer({ min: 1, max: 4 })) as never[]),
    ) as fc.Arbitrary<number[]>
    await fc.assert(
      fc.asyncProperty(
        batches,
        counts,
        fc.integer(),
        async ([aBatch, bBatch], [m = 1, k = 1, n = 1], seed) => {
          const random = new SeededRandom(seed)
          const [aDims, bDims] = [
            [...aBatch, m, k],
            [...bBatch, k, n],
          ]
          const rank = Math.max(aBatch.length, bBatch.length)
          const batch = Array.from({ length: rank }, (_, d) =>
            Math.max(aBatch[aBatch.length - rank + d] ?? 1, bBatch[bBatch.length - rank + d] ?? 1),
          )
          const [a, b] = [random.floats(size(aDims)), random.floats(size(bDims))]
          const p = new ProgramBuilder()
          const y = p.step({
            op: 'matmul',
            a: p.input('a', aDims),
            b: p.input('b', bDims),
            output: p.arena([...batch, m, n]),
          })
          const answer = await runProgram(p.output('y', y), {
            a: { shape: aDims, data: a },
            b: { shape: bDims, data: b },
          })
          const expected = indices([...batch, m, n]).map((index) => {
            const [row, column] = index.slice(-2) as [number, number]
            const outer = index.slice(0, -2)
            let sum = 0
            for (let i = 0; i < k; i++) {
              sum += at(a, aDims, [...outer, row, i]) * at(b, bDims, [...outer, i, column])
            }
            return sum
          })
          close(answer.get('y'), expected)
        },
      ),
      { numRuns },
    )
  })

  test('expand repeats', async () => {
    const p = new ProgramBuilder()
    const y = p.step({ op: 'expand', input: p.input('x', [2, 1]), output: p.arena([3, 2, 2]) })
    const answer = await runProgram(p.output('y', y), { x: { shape: [2, 1], data: Float32Array.of(4, 5) } })
    expect(numbers(answer.get('y'))).toEqual([4, 4, 5, 5, 4, 4, 5, 5, 4, 4, 5, 5])
  })
})

test('dense multiplies rows by a packed matrix of any width', async () => {
  const counts = fc.record({
    rows: fc.integer({ min: 1, max: 4 }),
    k: fc.integer({ min: 1, max: 9 }),
    n: fc.integer({ min: 1, max: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(counts, fc.integer(), async ({ rows, k, n }, seed) => {
      const random = new SeededRandom(seed)
      const [x, w, bias] = [random.floats(2 * rows * k), random.floats(k * n), random.floats(n)]
      const p = new ProgramBuilder()
      const y = p.step({
        op: 'dense',
        input: p.input('x', [2, rows, k]),
        weights: p.panels(w, [k, n]),
        bias: p.weights(bias, [n]),
        residual: null,
        output: p.arena([2, rows, n]),
        activation: noActivation,
      })
      const answer = await runProgram(p.output('y', y), { x: { shape: [2, rows, k], data: x } })
      const expected = indices([2 * rows, n]).map(([row = 0, column = 0]) => {
        let sum = bias[column] as number
        for (let i = 0; i < k; i++) sum += (x[row * k + i] as number) * (w[i * n + column] as number)
        return sum
      })
      close(answer.get('y'), expected)
    }),
    { numRuns },
  )
})

test('softmax runs along any physical axis and sums to 1', async () => {
  const data = Float32Array.of(1, 2, 3, 1000, 1000, -1000)
  for (const [axis, groups] of [
    [
      0,
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    [
      1,
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  ] as const) {
    for (const softmax of ['softmax', 'logsoftmax'] as const) {
      const p = new ProgramBuilder()
      const y = p.step({ op: 'softmax', input: p.input('x', [2, 3]), output: p.arena([2, 3]), axis, softmax })
      const answer = (await runProgram(p.output('y', y), { x: { shape: [2, 3], data } })).get('y')
      for (const group of groups as readonly (readonly number[])[]) {
        const highest = Math.max(...group.map((i) => data[i] as number))
        const sum = group.reduce((total, i) => total + Math.exp((data[i] as number) - highest), 0)
        for (const i of group as readonly number[]) {
          const log = (data[i] as number) - highest - Math.log(sum)
          expect(Number(answer?.data[i])).toBeCloseTo(softmax === 'softmax' ? Math.exp(log) : log, 4)
        }
      }
    }
  }
})
