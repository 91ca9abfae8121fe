// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { encodeProgram } from '../program/encode.ts'
import { referenceKernels } from '../reference/index.ts'
import { ProgramBuilder } from '../testing/program-builder.ts'
import { denseProgram, imageProgram } from '../testing/sample-programs.ts'
import { createSession } from './create-session.ts'

const fails = (code: string, field: string) => expect.objectContaining({ code, field })
const { program, weights } = denseProgram()
const x: Tensor = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(1, -2, 3, 0.5) }
const inputs = new Map([['x', x]])

/** The reference kernels, with the instance at hand. */
function observed(): { backend: KernelBackend; last: () => Kernels } {
  let last: Kernels | undefined
  return {
    backend: {
      ...referenceKernels,
      create: async (options) => {
        last = await referenceKernels.create(options)
        return last
      },
    },
    last: () => last as Kernels,
  }
}

describe('createSession', () => {
  test('takes a program as object or bytes, and weights whole or in pieces, with one answer', async () => {
    const source = {
      sizeBytes: weights.length,
      readInto: async (offsetBytes: number, target: Uint8Array) =>
        target.set(weights.subarray(offsetBytes, offsetBytes + target.length)),
    }
    const whole = await createSession({ kernels: referenceKernels, program, weights })
    const pieces = await createSession({
      kernels: referenceKernels,
      program: encodeProgram(program),
      weights: source,
    })
    expect(pieces.run(inputs)).toEqual(whole.run(inputs))
    expect(whole.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: [1, 4] }])
    expect(whole.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: [1, 3] }])
    expect(whole.isa).toBe('reference')
  })

  test('reads weights in order, in pieces of at most 1 MiB, all of them', async () => {
    const { ProgramBuilder } = await import('../testing/program-builder.ts')
    const p = new ProgramBuilder()
    const big = p.weights(new Float32Array(600_000).fill(2), [600_000])
    const input = p.input('x', [600_000])
    const y = p.step({
      op: 'binary',
      a: input,
      b: big,
      output: p.arena([600_000]),
      binary: 'mul',
      activation: { kind: 'none', alpha: 0, beta: 0 },
    })
    const built = p.output('y', y).build()
    const reads: [number, number][] = []
    const session = await createSession({
      kernels: referenceKernels,
      program: built.program,
      weights: {
        sizeBytes: built.weights.length,
        readInto: async (offsetBytes, target) => {
          reads.push([offsetBytes, target.length])
          target.set(built.weights.subarray(offsetBytes, offsetBytes + target.length))
        },
      },
    })
    expect(reads).toEqual([
      [0, 1048576],
      [1048576, 1048576],
      [2097152, 302848],
    ])
    const data = new Float32Array(600_000).fill(3)
    const answer = session.run(new Map([['x', { dtype: 'float32', shape: [600_000], data }]]))
    expect(answer.get('y')?.data.every((value) => value === 6)).toBe(true)
  })

  test('refuses weights of another size, and leaves nothing behind when the source fails', async () => {
    const { backend, last } = observed()
    const short = weights.subarray(1)
    await expect(createSession({ kernels: backend, program, weights: short })).rejects.toThrow(
      fails('KERNEL_WEIGHTS_SIZE_MISMATCH', 'weights'),
    )
    expect(last().memory.length).toBe(0)
    const readInto = () => Promise.reject(new Error('page 3 did not open'))
    await expect(
      createSession({ kernels: backend, program, weights: { sizeBytes: weights.length, readInto } }),
    ).rejects.toThrow('page 3 did not open')
    expect(last().memory.length).toBe(0)
  })

  test('refuses a broken program before it asks for memory', async () => {
    const kernels: KernelBackend = { ...referenceKernels, create: () => Promise.reject(new Error('asked')) }
    const broken = { ...program, steps: program.steps.slice(0, 1) }
    await expect(createSession({ kernels, program: broken, weights })).rejects.toThrow(
      expect.objectContaining({ code: 'PROGRAM_INVALID' }),
    )
  })

  test('reports exactly the memory that the kernels were given', async () => {
    const { backend, last } = observed()
    const sample = imageProgram()
    const session = await createSession({ kernels: backend, ...sample, symbols: { N: 1 } })
    const { arenaSizeBytes, weightsSizeBytes, stagingSizeBytes, programSizeBytes, scratchSizeBytes } =
      session.memoryReport
    expect(weightsSizeBytes).toBe(sample.weights.length)
    expect(arenaSizeBytes + weightsSizeBytes).toBe(last().memory.length)
    expect(stagingSizeBytes).toBe(0)
    // The engine's and the kernels' copy.
    expect(programSizeBytes).toBe(2 * 17 * 256)
    expect(scratchSizeBytes).toBe(0)
  })
})

describe('run', () => {
  const cases: [string, Map<string, unknown>, string, string][] = [
    ['a missing input', new Map(), 'KERNEL_INPUT_MISSING', 'inputs.x'],
    ['an unknown input', new Map([...inputs, ['z', x]]), 'KERNEL_INPUT_UNKNOWN', 'inputs.z'],
    [
      'another dtype',
      new Map([['x', { ...x, dtype: 'int32', data: new Int32Array(4) }]]),
      'KERNEL_INPUT_DTYPE_MISMATCH',
      'inputs.x',
    ],
    ['another shape', new Map([['x', { ...x, shape: [4] }]]), 'KERNEL_INPUT_SHAPE_MISMATCH', 'inputs.x'],
    [
      'too few elements',
      new Map([['x', { ...x, data: new Float32Array(3) }]]),
      'KERNEL_INPUT_INVALID',
      'inputs.x',
    ],
    [
      'an array of another kind',
      new Map([['x', { ...x, data: new Float64Array(4) }]]),
      'KERNEL_INPUT_INVALID',
      'inputs.x',
    ],
  ]
  test.each(cases)('refuses %s and names it', async (_what, bad, code, field) => {
    const session = await createSession({ kernels: referenceKernels, program, weights })
    expect(() => session.run(bad as Map<string, Tensor>)).toThrow(fails(code, field))
    expect(session.run(inputs).get('y')?.shape).toEqual([1, 3])
  })

  test('answers are copies, and one query leaves no trace in the next', async () => {
    const sample = imageProgram()
    const session = await createSession({ kernels: referenceKernels, ...sample, symbols: { N: 1 } })
    const query = (fill: number) =>
      session.run(
        new Map([
          ['image', { dtype: 'float32', shape: [1, 3, 8, 8], data: new Float32Array(192).fill(fill) }],
        ]),
      )
    const first = query(0.25)
    const kept = first.get('scores')?.data.slice()
    query(-3)
    expect(first.get('scores')?.data).toEqual(kept)
    expect(query(0.25)).toEqual(first)
  })

  test('a batch answers as its rows do one by one', async () => {
    const sample = imageProgram()
    const data = Float32Array.from({ length: 3 * 192 }, (_, i) => Math.sin(i))
    const session = await createSession({ kernels: referenceKernels, ...sample, symbols: { N: 3 } })
    const batch = session.run(new Map([['image', { dtype: 'float32', shape: [3, 3, 8, 8], data }]]))
    const single = await createSession({ kernels: referenceKernels, ...sample, symbols: { N: 1 } })
    for (let n = 0; n < 3; n++) {
      const image = data.subarray(n * 192, (n + 1) * 192)
      const row = single.run(new Map([['image', { dtype: 'float32', shape: [1, 3, 8, 8], data: image }]]))
      expect(batch.get('scores')?.data.slice(n * 5, n * 5 + 5)).toEqual(row.get('scores')?.data)
    }
  })

  test('dispose wipes the memory and ends the session', async () => {
    const { backend, last } = observed()
    const session = await createSession({ kernels: backend, program, weights })
    session.run(inputs)
    const { memory } = last()
    expect(memory.some((byte) => byte !== 0)).toBe(true)
    session.dispose()
    expect(memory.every((byte) => byte === 0)).toBe(true)
    expect(() => session.run(inputs)).toThrow(expect.objectContaining({ code: 'KERNEL_DISPOSED' }))
    session.dispose()
  })
})

test('sizes that are only guessed need not fit: the first query makes the program ready', async () => {
  const p = new ProgramBuilder()
  const rows = p.symbol('rows')
  const input = p.input('x', [rows, 2])
  // From row 2 on, backward: there is none in a tensor of one row.
  p.output('y', p.step({ op: 'slice', input, output: p.arena([3, 2]), starts: [2, 0], steps: [-1, 1] }))
  const { program, weights } = p.build()
  const options = { kernels: referenceKernels, program, weights }
  await expect(createSession({ ...options, symbols: { rows: 1 } })).rejects.toMatchObject({
    code: 'PROGRAM_INVALID',
  })
  const session = await createSession({ ...options, guessedSymbols: { rows: 1 } })
  const query = (rowCount: number): ReadonlyMap<string, Tensor> => {
    const data = Float32Array.from({ length: rowCount * 2 }, (_, i) => i)
    return new Map([['x', { dtype: 'float32', shape: [rowCount, 2], data }]])
  }
  expect(() => session.run(query(1))).toThrow(expect.objectContaining({ code: 'PROGRAM_INVALID' }))
  expect(session.run(query(3)).get('y')?.data).toEqual(Float32Array.of(4, 5, 2, 3, 0, 1))
  session.dispose()
})
