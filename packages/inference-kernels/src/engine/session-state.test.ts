// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { encodeProgram } from '../program/encode.ts'
import { referenceKernels } from '../reference/index.ts'
import { ProgramBuilder } from '../testing/program-builder.ts'
import { denseProgram, sequenceProgram } from '../testing/sample-programs.ts'
import { wasmKernels } from '../wasm/index.ts'
import { createSession } from './create-session.ts'

const fails = (code: string, field = 'state') => expect.objectContaining({ code, field })

function rows(...data: number[]): Map<string, Tensor> {
  const tensor: Tensor = { dtype: 'float32', shape: [data.length / 2, 2], data: Float32Array.from(data) }
  return new Map([['x', tensor]])
}

const open = (kernels: KernelBackend = referenceKernels) => {
  const { program, weights } = sequenceProgram()
  return createSession({ kernels, program: encodeProgram(program), weights })
}

/** A backend that counts the lists of records that it is given, and those that are still loaded. */
function counting() {
  const counts = { loads: 0, loaded: 0 }
  const backend: KernelBackend = {
    ...referenceKernels,
    create: async (options) => {
      const made = await referenceKernels.create(options)
      const load = made.load.bind(made)
      const unload = made.unload.bind(made)
      made.load = (records) => {
        counts.loads++
        counts.loaded++
        return load(records)
      }
      made.unload = (handle) => {
        counts.loaded--
        unload(handle)
      }
      return made
    },
  }
  return { backend, counts }
}

describe.each([referenceKernels, wasmKernels])('a state, on $name', (kernels) => {
  test('starts empty or zero, and goes from query to query', async () => {
    const session = await open(kernels)
    expect(session.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(session.outputs.map(({ name }) => name)).toEqual(['all', 'sum'])
    const state = session.createState()
    expect(state.sizeBytes).toBe(0)
    const ask = (...data: number[]) => {
      const answer = session.run(rows(...data), { state })
      state.commit()
      return [[...(answer.get('all')?.data ?? [])], [...(answer.get('sum')?.data ?? [])]]
    }
    expect(ask(1, 2)).toEqual([
      [1, 2],
      [1, 2],
    ])
    expect(ask(3, 4, 5, 6)).toEqual([
      [1, 2, 3, 4, 5, 6],
      [4, 6],
    ])
    expect(state.sizeBytes).toBe(3 * 8 + 8)
    expect(ask(7, 8)).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [11, 14],
    ])
    session.dispose()
  })

  test('sequences do not touch each other, and a query without a state begins anew', async () => {
    const session = await open(kernels)
    const [a, b] = [session.createState(), session.createState()]
    const all = (data: readonly number[], state?: typeof a) => [
      ...(session.run(rows(...data), state === undefined ? {} : { state }).get('all')?.data ?? []),
    ]
    all([1, 1], a)
    a.commit()
    all([2, 2], b)
    b.commit()
    expect(all([3, 3])).toEqual([3, 3])
    expect(all([4, 4], a)).toEqual([1, 1, 4, 4])
    expect(all([5, 5], b)).toEqual([2, 2, 5, 5])
    session.dispose()
  })

  test('a run counts only when it is committed', async () => {
    const session = await open(kernels)
    const state = session.createState()
    const all = (...data: number[]) => [...(session.run(rows(...data), { state }).get('all')?.data ?? [])]
    all(1, 1)
    expect(state.stagedSizeBytes).toBe(16)
    state.discard()
    expect(state.stagedSizeBytes).toBeNull()
    state.commit()
    expect(all(2, 2)).toEqual([2, 2])
    state.commit()
    // A second run begins where the first one did, unless that was committed.
    expect(all(3, 3)).toEqual([2, 2, 3, 3])
    expect(all(4, 4)).toEqual([2, 2, 4, 4])
    expect(() => session.run(new Map(), { state })).toThrow(fails('KERNEL_INPUT_MISSING', 'inputs.x'))
    state.commit()
    expect(all(5, 5)).toEqual([2, 2, 4, 4, 5, 5])
    session.dispose()
  })
})

test('a state is bounded, and one that would be too large stays as it was', async () => {
  const session = await open()
  const state = session.createState({ maxSizeBytes: 3 * 8 })
  session.run(rows(1, 1, 2, 2), { state })
  state.commit()
  expect(() => session.run(rows(3, 3), { state })).toThrow(fails('KERNEL_STATE_TOO_LARGE'))
  expect(state.stagedSizeBytes).toBeNull()
  expect(state.sizeBytes).toBe(24)
  for (const maxSizeBytes of [-1, 1.5, Number.NaN]) {
    expect(() => session.createState({ maxSizeBytes })).toThrow(
      fails('KERNEL_OPTION_INVALID', 'maxSizeBytes'),
    )
  }
})

test('a disposed state, and one of another session, are refused', async () => {
  const [session, other] = [await open(), await open()]
  const state = session.createState()
  session.run(rows(1, 1), { state })
  state.commit()
  expect(() => other.run(rows(1, 1), { state })).toThrow(fails('KERNEL_STATE_INVALID'))
  state.dispose()
  expect(state.sizeBytes).toBe(0)
  expect(() => session.run(rows(1, 1), { state })).toThrow(fails('KERNEL_STATE_INVALID'))
  const last = session.createState()
  session.run(rows(1, 1), { state: last })
  last.commit()
  session.dispose()
  expect(last.sizeBytes).toBe(0)
  expect(() => session.createState()).toThrow(expect.objectContaining({ code: 'KERNEL_DISPOSED' }))
})

test('a query of another batch than the state is refused, and the state stays', async () => {
  const p = new ProgramBuilder()
  const batch = p.symbol('batch')
  const x = p.input('x', [batch, 2])
  const before = p.arena([batch, 2])
  const sum = p.step({
    op: 'binary',
    a: x,
    b: before,
    output: p.arena([batch, 2]),
    binary: 'add',
    activation: { kind: 'none', alpha: 0, beta: 0 },
  })
  const session = await createSession({
    kernels: referenceKernels,
    ...p.output('sum', sum).state(before, sum).build(),
  })
  const state = session.createState()
  session.run(rows(1, 2, 3, 4), { state })
  state.commit()
  expect(() => session.run(rows(1, 2), { state })).toThrow(fails('KERNEL_STATE_SHAPE_MISMATCH'))
  const again = session.run(rows(1, 1, 1, 1), { state })
  expect([...(again.get('sum')?.data ?? [])]).toEqual([2, 3, 4, 5])
})

test('what a query leaves has to fit the next one', async () => {
  const p = new ProgramBuilder()
  const x = p.input('x', [p.symbol('N'), 2])
  const before = p.arena([1, 2])
  const all = p.step({ op: 'concat', inputs: [before, x], output: p.arena([null, 2]), axis: 0 })
  const session = await createSession({
    kernels: referenceKernels,
    ...p.output('all', all).state(before, all).build(),
  })
  expect(() => session.run(rows(1, 1))).toThrow(fails('PROGRAM_INVALID', 'states[0].output'))
})

test('a model without states has states that hold nothing', async () => {
  const session = await createSession({ kernels: referenceKernels, ...denseProgram() })
  const state = session.createState()
  const x: Tensor = { dtype: 'float32', shape: [1, 4], data: new Float32Array(4) }
  session.run(new Map([['x', x]]), { state })
  state.commit()
  expect(state.sizeBytes).toBe(0)
})

describe('bindings of a growing sequence', () => {
  const decode = (session: Awaited<ReturnType<typeof open>>, length: number) => {
    const state = session.createState()
    for (let i = 0; i < length; i++) {
      session.run(rows(i, i), { state })
      state.commit()
    }
    state.dispose()
  }

  test('each length is bound once, and a second sequence binds nothing', async () => {
    const { backend, counts } = counting()
    const session = await open(backend)
    decode(session, 200)
    expect(counts).toEqual({ loads: 200, loaded: 200 })
    decode(session, 200)
    expect(counts.loads).toBe(200)
    session.dispose()
  })

  test('beyond what is kept, the ones asked longest ago are forgotten, one by one', async () => {
    const { backend, counts } = counting()
    const session = await open(backend)
    decode(session, 300)
    expect(counts).toEqual({ loads: 300, loaded: 256 })
    // Pasts of 44 to 299 rows are kept. Going on from a prompt of 100 rows needs none but the prompt's own binding.
    const state = session.createState()
    session.run(rows(...new Array<number>(200).fill(0)), { state })
    state.commit()
    expect(counts).toEqual({ loads: 301, loaded: 256 })
    const { programSizeBytes } = session.memoryReport
    for (let i = 0; i < 150; i++) {
      session.run(rows(i, i), { state })
      state.commit()
    }
    expect(counts).toEqual({ loads: 301, loaded: 256 })
    expect(session.memoryReport.programSizeBytes).toBe(programSizeBytes)
    session.dispose()
  })
})
