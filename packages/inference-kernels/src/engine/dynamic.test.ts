// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { encodeProgram } from '../program/encode.ts'
import { referenceKernels } from '../reference/index.ts'
import { branchProgram } from '../testing/sample-programs.ts'
import { wasmKernels } from '../wasm/index.ts'
import { createSession } from './create-session.ts'

function query(rowCount: number, mode: boolean, target: readonly [number, number]): Map<string, Tensor> {
  const data = Float32Array.from({ length: rowCount * 3 }, (_, i) => (i % 2 === 0 ? i : -i))
  return new Map<string, Tensor>([
    ['x', { dtype: 'float32', shape: [rowCount, 3], data }],
    ['mode', { dtype: 'bool', shape: [], data: Uint8Array.of(mode ? 1 : 0) }],
    ['target', { dtype: 'int64', shape: [2], data: BigInt64Array.from(target, BigInt) }],
  ])
}

/** A backend, with the times that its memory grew. */
function counting(kernels: KernelBackend) {
  const growths: number[] = []
  const backend: KernelBackend = {
    ...kernels,
    create: async (options) => {
      const made = await kernels.create(options)
      const grow = made.grow.bind(made)
      made.grow = (sizeBytes) => {
        growths.push(sizeBytes)
        grow(sizeBytes)
      }
      return made
    },
  }
  return { backend, growths }
}

describe.each([referenceKernels, wasmKernels])(
  'a program whose course depends on data, on $name',
  (kernels) => {
    const open = async (backend = kernels) => {
      const { program, weights } = branchProgram()
      return createSession({ kernels: backend, program: encodeProgram(program), weights })
    }

    test('takes the branch that the condition names, and sizes from elements', async () => {
      const session = await open()
      const then = session.run(query(2, true, [3, 2]))
      expect(then.get('y')).toEqual({
        dtype: 'float32',
        shape: [2, 3],
        data: Float32Array.of(0, 0, 2, 0, 4, 0),
      })
      const otherwise = session.run(query(2, false, [3, 2]))
      expect(otherwise.get('y')).toEqual({
        dtype: 'float32',
        shape: [3, 2],
        data: Float32Array.of(0, 1, 2, 3, 4, 5),
      })
      expect(otherwise.get('s')?.data).toEqual(BigInt64Array.of(2n, 3n))
      expect(session.run(query(2, false, [-1, 6])).get('y')?.shape).toEqual([1, 6])
      session.dispose()
    })

    test('gives the same answers again after other shapes and other branches, and grows only for larger ones', async () => {
      const { backend, growths } = counting(kernels)
      const session = await open(backend)
      const queries = [
        query(2, true, [1, 6]),
        query(5, false, [5, 3]),
        query(400, false, [3, 400]),
        query(3, true, [1, 1]),
      ]
      const first = queries.map((it) => session.run(it))
      const growthCount = growths.length
      const { programSizeBytes, arenaSizeBytes } = session.memoryReport
      expect(queries.map((it) => session.run(it))).toEqual(first)
      expect(growths.length).toBe(growthCount)
      expect([...growths].sort((a, b) => a - b)).toEqual(growths)
      expect(session.memoryReport).toMatchObject({ programSizeBytes, arenaSizeBytes })
      expect(first[2]?.get('y')?.shape).toEqual([3, 400])
      session.dispose()
    })

    test('an empty batch has an empty answer', async () => {
      const session = await open()
      expect(session.run(query(0, true, [0, 3])).get('y')).toEqual({
        dtype: 'float32',
        shape: [0, 3],
        data: new Float32Array(0),
      })
      session.dispose()
    })

    test('refuses sizes that do not go together, names the step, and goes on', async () => {
      const session = await open()
      expect(() => session.run(query(2, false, [4, 4]))).toThrow(
        expect.objectContaining({ code: 'PROGRAM_INVALID', stepIndex: 3 }),
      )
      expect(session.run(query(2, false, [6, 1])).get('y')?.shape).toEqual([6, 1])
      session.dispose()
    })

    test('stays within the memory that it may have', async () => {
      const { program, weights } = branchProgram()
      const session = await createSession({ kernels, program, weights, maxMemorySizeBytes: 4096 })
      expect(() => session.run(query(2000, true, [1, 1]))).toThrow(
        expect.objectContaining({ code: 'KERNEL_MEMORY_TOO_LARGE' }),
      )
      expect(session.run(query(2, true, [1, 1])).get('y')?.shape).toEqual([2, 3])
      session.dispose()
    })
  },
)
