// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { expect, test } from 'vitest'
import { ProgramBinder } from '../plan/program-binder.ts'
import { allResident } from '../plan/weight-places.ts'
import { referenceKernels } from '../reference/index.ts'
import { ProgramBuilder } from '../testing/program-builder.ts'
import { branchProgram } from '../testing/sample-programs.ts'
import { Bindings } from './bindings.ts'
import { createSession } from './create-session.ts'

/**
 * Kernels with a count of the segments that are loaded now, of the most at once and of all that ever were, and of the views
 * that are made of their memory, and with faults on demand.
 */
function observed(kernels: KernelBackend) {
  const seen = { loaded: 0, loads: 0, mostLoaded: 0, viewCount: 0, isGrowthRefused: false }
  const backend: KernelBackend = {
    ...kernels,
    create: async (options) => {
      const made = await kernels.create(options)
      const [load, unload, grow] = [made.load.bind(made), made.unload.bind(made), made.grow.bind(made)]
      const watch = () => {
        const { memory } = made
        const { buffer } = memory
        Object.defineProperty(memory, 'buffer', {
          get: () => {
            seen.viewCount++
            return buffer
          },
        })
      }
      watch()
      made.load = (records) => {
        const handle = load(records)
        seen.loaded++
        seen.loads++
        seen.mostLoaded = Math.max(seen.mostLoaded, seen.loaded)
        return handle
      }
      made.unload = (handle) => {
        seen.loaded--
        unload(handle)
      }
      made.grow = (sizeBytes) => {
        if (seen.isGrowthRefused) throw new Error('no memory left')
        grow(sizeBytes)
        watch()
      }
      return made
    },
  }
  return { backend, seen }
}

function query(rowCount: number, target: readonly number[], mode = false): Map<string, Tensor> {
  const data = Float32Array.from({ length: rowCount * 3 }, (_, i) => i)
  return new Map<string, Tensor>([
    ['x', { dtype: 'float32', shape: [rowCount, 3], data }],
    ['mode', { dtype: 'bool', shape: [], data: Uint8Array.of(mode ? 1 : 0) }],
    ['target', { dtype: 'int64', shape: [target.length], data: BigInt64Array.from(target, BigInt) }],
  ])
}

const open = async () => {
  const { backend, seen } = observed(referenceKernels)
  const { program, weights } = branchProgram()
  return { session: await createSession({ kernels: backend, program, weights }), seen }
}

test('a query like one before loads nothing; another course of the same shapes loads what follows the fork', async () => {
  const { session, seen } = await open()
  session.run(query(2, [3, 2]))
  const first = seen.loads
  session.run(query(2, [3, 2]))
  expect(seen.loads).toBe(first)
  session.run(query(2, [6, 1]))
  const second = seen.loads
  expect(second).toBe(first + 1)
  session.run(query(2, [3, 2], true))
  expect(seen.loads).toBe(second + 1)
  session.run(query(2, [6, 1]))
  expect(seen.loads).toBe(second + 1)
  session.dispose()
})

test('views of inputs, outputs and what decides are made once for a shape, and again after the memory grew', async () => {
  const { session, seen } = await open()
  const [small, large] = [query(2, [3, 2]), query(200, [3, 200])]
  const answer = session.run(small)
  const first = seen.viewCount
  expect(first).toBeGreaterThan(5)
  expect(session.run(small)).toEqual(answer)
  expect(seen.viewCount).toBe(first)
  session.run(large)
  const grown = seen.viewCount
  expect(session.run(small)).toEqual(answer)
  expect(seen.viewCount).toBe(grown + first)
  session.dispose()
})

test('keeps a bounded number of segments, whatever shapes are asked for', async () => {
  const { session, seen } = await open()
  let most = 0
  for (let rowCount = 1; rowCount <= 400; rowCount++) {
    session.run(query(rowCount, [3, rowCount]))
    most = Math.max(most, seen.loaded)
    expect(session.memoryReport.programSizeBytes).toBeLessThan(64 * 1024 * 1024)
  }
  expect(most).toBeLessThanOrEqual(256 + 2)
  expect(seen.loads).toBeGreaterThan(256)
  session.dispose()
})

test('courses of one shape beyond all that are kept make room for later ones', async () => {
  const { session, seen } = await open()
  const rowCount = 2 ** 5 * 3 ** 2 * 5 * 7
  const elementCount = rowCount * 3
  const targets = Array.from({ length: elementCount }, (_, i) => i + 1)
    .filter((it) => elementCount % it === 0)
    .flatMap((it) => [
      [it, elementCount / it],
      [it, -1],
      [-1, it],
    ])
  expect(targets.length).toBeGreaterThan(256)
  for (const target of targets) {
    expect(session.run(query(rowCount, target)).get('y')?.data.length).toBe(elementCount)
    expect(seen.loaded).toBeLessThanOrEqual(256)
  }
  // The last course is kept again, not made anew with each query.
  session.run(query(rowCount, targets.at(-1) ?? []))
  const before = seen.loads
  session.run(query(rowCount, targets.at(-1) ?? []))
  expect(seen.loads).toBe(before)
  session.dispose()
})

test('what depends on many elements is made for one query and let go, also where it fails', async () => {
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const x = p.input('x', [n])
  const target = p.input('target', [2], 'int64')
  const indices = p.step({
    op: 'operator',
    operator: 'NonZero',
    inputs: [x],
    outputs: [p.arena([1, null], { dtype: 'int64' })],
    attributes: {},
  })
  const y = p.step({
    op: 'operator',
    operator: 'Reshape',
    inputs: [indices, target],
    outputs: [p.arena([null, null], { dtype: 'int64' })],
    attributes: { allowzero: false },
  })
  const { program, weights } = p.output('y', y).build()
  const { backend, seen } = observed(referenceKernels)
  const session = await createSession({ kernels: backend, program, weights })
  const run = (count: number, ones: number, shape: readonly [number, number]) =>
    session.run(
      new Map<string, Tensor>([
        [
          'x',
          {
            dtype: 'float32',
            shape: [count],
            data: Float32Array.from({ length: count }, (_, i) => +(i < ones)),
          },
        ],
        ['target', { dtype: 'int64', shape: [2], data: BigInt64Array.from(shape, BigInt) }],
      ]),
    )
  run(100, 6, [2, 3])
  const loaded = seen.loaded
  for (let ones = 1; ones < 50; ones++) expect(run(100, ones, [ones, 1]).get('y')?.shape).toEqual([ones, 1])
  expect(seen.loaded).toBe(loaded)
  expect(() => run(100, 6, [4, 4])).toThrow(expect.objectContaining({ code: 'PROGRAM_INVALID' }))
  expect(seen.loaded).toBe(loaded)
  seen.isGrowthRefused = true
  expect(() => run(50_000, 50_000, [1, 50_000])).toThrow('no memory left')
  expect(seen.loaded).toBe(loaded)
  expect(run(100, 6, [3, 2]).get('y')?.data).toEqual(BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n))
  session.dispose()
})

test('what one query alone needs is let go as the query goes on, however long its course', async () => {
  const p = new ProgramBuilder()
  let x = p.input('x', [100])
  for (let i = 0; i < 1100; i++) {
    x = p.step({ op: 'unary', input: x, output: p.arena([100]), unary: 'neg', alpha: 0, beta: 0 })
    const outputs = [p.arena([1, null], { dtype: 'int64' })]
    p.step({ op: 'operator', operator: 'NonZero', inputs: [x], outputs, attributes: {} })
  }
  const { backend, seen } = observed(referenceKernels)
  const session = await createSession({ ...p.output('y', x).build(), kernels: backend })
  const data = new Float32Array(100).fill(2)
  const inputs = new Map<string, Tensor>([['x', { dtype: 'float32', shape: [100], data }]])
  expect(session.run(inputs).get('y')?.data).toEqual(data)
  expect(seen.loads).toBe(1101)
  expect(seen.mostLoaded).toBe(3)
  expect(seen.loaded).toBe(1)
  session.dispose()
})

test('small weights and deciding elements that bindings hold are wiped with them', async () => {
  const p = new ProgramBuilder()
  const x = p.input('x', [3])
  const target = p.input('target', [2], 'int64')
  const weights = p.weights(Float32Array.of(1, 2, 3), [3])
  const sum = [p.arena([3])]
  p.step({ op: 'operator', operator: 'Add', inputs: [x, weights], outputs: sum, attributes: {} })
  const inputs = [sum[0] as number, target]
  const outputs = [p.arena([null, null])]
  p.step({ op: 'operator', operator: 'Reshape', inputs, outputs, attributes: { allowzero: false } })
  const { program } = p.output('y', outputs[0] as number).build()
  const small = Float32Array.of(1, 2, 3)
  const kernels = await referenceKernels.create({ memorySizeBytes: 4096 })
  const bindings = new Bindings(
    new ProgramBinder(program, { weights: allResident(program, 0), weightsContents: () => small }),
    kernels,
  )
  const root = bindings.root([[3], [2]])
  const [, place] = root.inputViews.of(kernels.memory)
  place?.set([1n, 3n] as never)
  expect([...root.node.runner.run()]).toEqual([])
  const { contents } = bindings.next(root.node).runner.segment.continuation.state
  expect(contents.get(target)).toEqual(BigInt64Array.of(1n, 3n))
  bindings.dispose()
  expect(contents.get(target)).toEqual(BigInt64Array.of(0n, 0n))
  expect(small).toEqual(new Float32Array(3))
})

test('aliases of aliases are followed to the end, however many there are', async () => {
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  let value = p.input('x', [n, 2])
  for (let i = 0; i < 60_000; i++) value = p.alias(value, i % 2 === 0 ? [2, n] : [n, 2])
  const session = await createSession({ ...p.output('y', value).build(), kernels: referenceKernels })
  const data = Float32Array.of(1, 2, 3, 4)
  const x: Tensor = { dtype: 'float32', shape: [2, 2], data }
  expect(session.run(new Map([['x', x]])).get('y')?.data).toEqual(data)
  session.dispose()
})

test('an alias whose size follows another symbol than its bytes is refused when it is bound', async () => {
  const p = new ProgramBuilder()
  const [n, m] = [p.symbol('N'), p.symbol('M')]
  const x = p.input('x', [n])
  p.input('z', [m])
  const y = p.step({
    op: 'unary',
    input: p.alias(x, [m]),
    output: p.arena([null]),
    unary: 'neg',
    alpha: 0,
    beta: 0,
  })
  const session = await createSession({ ...p.output('y', y).build(), kernels: referenceKernels })
  const run = (a: number, b: number) =>
    session.run(
      new Map<string, Tensor>([
        ['x', { dtype: 'float32', shape: [a], data: new Float32Array(a).fill(1) }],
        ['z', { dtype: 'float32', shape: [b], data: new Float32Array(b) }],
      ]),
    )
  expect(run(3, 3).get('y')?.data).toEqual(Float32Array.of(-1, -1, -1))
  for (const [a, b] of [
    [3, 2],
    [2, 3],
    [1, 1000],
  ] as const) {
    expect(() => run(a, b)).toThrow(
      expect.objectContaining({ code: 'PROGRAM_INVALID', field: 'values[2].storage.of' }),
    )
  }
  session.dispose()
})
