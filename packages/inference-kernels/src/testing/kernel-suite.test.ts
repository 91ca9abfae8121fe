// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { opRecords } from '../abi.generated.ts'
import { makeRecord, readRecord } from '../records/record.ts'
import { recordError } from '../records/record-error.ts'
import { referenceKernels } from '../reference/index.ts'
import { kernelCases } from './kernel-suite.ts'

const isSlow = process.env.SLOW === '1'

describe('the reference kernels', () => {
  for (const { name, run } of kernelCases(referenceKernels, { problemCount: isSlow ? 500 : 20 }))
    test(name, run)
})

describe('the suite finds', () => {
  /** The reference kernels with some of their methods replaced. */
  const spoiled = (change: (kernels: Kernels) => Partial<Kernels>): KernelBackend => ({
    ...referenceKernels,
    create: async (options) => {
      const kernels = await referenceKernels.create(options)
      return {
        isa: 'spoiled',
        get memory() {
          return kernels.memory
        },
        load: kernels.load.bind(kernels),
        unload: kernels.unload.bind(kernels),
        grow: kernels.grow.bind(kernels),
        runStep: kernels.runStep.bind(kernels),
        runSteps: kernels.runSteps.bind(kernels),
        selfTest: kernels.selfTest.bind(kernels),
        dispose: kernels.dispose.bind(kernels),
        ...change(kernels),
      }
    },
  })
  const run = (backend: KernelBackend, word: string, problemCount = 5) =>
    kernelCases(backend, { problemCount })
      .find(({ name }) => name.startsWith(word))
      ?.run()
  const failed = expect.objectContaining({ code: 'KERNEL_SELF_TEST_FAILED' })

  test('a wrong element', async () => {
    let output = 0
    const backend = spoiled((kernels) => ({
      load: (records) => {
        output = records[opRecords.dense.fields.output.word] as number
        return kernels.load(records)
      },
      runStep: (handle, step) => {
        kernels.runStep(handle, step)
        kernels.memory[output + 2] = (kernels.memory[output + 2] as number) ^ 0x40
      },
    }))
    await expect(run(backend, 'dense')).rejects.toEqual(failed)
  })

  test.each(['binary', 'unary'])(
    'a finite number and an infinity of the other sign in place of one, from %s',
    async (word) => {
      for (const wrong of [7, Number.NEGATIVE_INFINITY]) {
        let [output, count] = [0, 0]
        const backend = spoiled((kernels) => ({
          load: (records) => {
            const record = readRecord(records, 0)
            if (record?.op === 'unary') [output, count] = [record.output, record.count]
            if (record?.op === 'binary') {
              ;[output, count] = [record.output, record.dims.reduce((a, b) => a * b, 1)]
            }
            return kernels.load(records)
          },
          runStep: (handle, step) => {
            kernels.runStep(handle, step)
            const floats = new Float32Array(kernels.memory.buffer, output, count)
            for (const [i, value] of floats.entries()) {
              if (value === Number.POSITIVE_INFINITY) floats[i] = wrong
            }
          },
        }))
        await expect(run(backend, word, 20)).rejects.toEqual(failed)
      }
    },
  )

  test('a write beside the output', async () => {
    const backend = spoiled((kernels) => ({
      runStep: (handle, step) => {
        kernels.runStep(handle, step)
        const last = kernels.memory.length - 1
        kernels.memory[last] = (kernels.memory[last] as number) ^ 1
      },
    }))
    await expect(run(backend, 'unary')).rejects.toEqual(failed)
  })

  test('a backend that checks nothing', async () => {
    const backend = spoiled((kernels) => ({
      load: () => kernels.load(makeRecord('fill', { output: 0, elementSizeBytes: 4, count: 0, bits: 0 })),
      runStep: () => {},
    }))
    await expect(run(backend, 'damaged conv2d')).rejects.toEqual(failed)
  })

  test('a backend that refuses what is valid', async () => {
    const backend = spoiled(() => ({
      load: (records) => {
        throw recordError(records, 1, 0)
      },
    }))
    await expect(run(backend, 'damaged copy')).rejects.toEqual(failed)
  })
})
