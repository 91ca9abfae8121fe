// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx, memoryModelSource } from '../src/index.ts'
import { buildModel, type TestModel, type TestNode, tinyModel } from '../src/testing/index.ts'

async function compile(bytes: Uint8Array): Promise<void> {
  const { weights } = await compileGraph(await importOnnx(memoryModelSource(bytes)))
  // Packing must work to the end, but a model that claims gigabytes is not followed there.
  if (weights.sizeBytes < 2 ** 22) for await (const _ of weights.chunks());
}

const ints = (...values: number[]) => ({ dims: [values.length], data: BigInt64Array.from(values, BigInt) })
const huge: TestNode = { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['big'] }

function around(nodes: readonly TestNode[], shape: readonly number[]): TestModel {
  return {
    inputs: { x: [1, 4] },
    outputs: { y: null },
    constants: { shape: ints(...shape) },
    nodes: [huge, ...nodes],
  }
}

describe('hostile models', () => {
  test.each<[string, TestModel]>([
    [
      'a sum over a constant of 16 GiB',
      around(
        [
          { op: 'ReduceSum', inputs: ['big'], outputs: ['s'] },
          { op: 'Add', inputs: ['x', 's'], outputs: ['y'] },
        ],
        [2 ** 16, 2 ** 16],
      ),
    ],
    [
      'a constant of 16 GiB as output',
      around([{ op: 'Neg', inputs: ['big'], outputs: ['y'] }], [2 ** 16, 2 ** 16]),
    ],
    [
      'dense weights of 16 GiB',
      around([{ op: 'MatMul', inputs: ['x', 'big'], outputs: ['y'] }], [4, 2 ** 30]),
    ],
    [
      'a thousand dimensions',
      around([{ op: 'Neg', inputs: ['big'], outputs: ['y'] }], new Array(1000).fill(1)),
    ],
    ['a negative dimension', around([{ op: 'Neg', inputs: ['big'], outputs: ['y'] }], [-5])],
    [
      'a concat of 5000 operands',
      around(
        [{ op: 'Concat', inputs: new Array(5000).fill('x'), outputs: ['y'], attributes: { axis: 0 } }],
        [1],
      ),
    ],
    [
      'an input name of 10,000 characters',
      {
        inputs: { ['n'.repeat(10_000)]: [1] },
        outputs: { y: null },
        nodes: [{ op: 'Neg', inputs: ['n'.repeat(10_000)], outputs: ['y'] }],
      },
    ],
  ])('refuses %s, at once', async (_what, model) => {
    const error = await compile(buildModel(model)).catch((it: unknown) => it)
    expect(isMlCapsuleError(error)).toBe(true)
  })

  test('a product of constants that is too large to fold is left to the program', async () => {
    const nodes: TestNode[] = [
      { op: 'MatMul', inputs: ['big', 'big'], outputs: ['p'] },
      { op: 'MatMul', inputs: ['p', 'big'], outputs: ['q'] },
      { op: 'ReduceSum', inputs: ['q'], outputs: ['s'] },
      { op: 'Add', inputs: ['x', 's'], outputs: ['y'] },
    ]
    const bytes = buildModel(around(nodes, [2000, 2000]))
    const { summary } = await compileGraph(await importOnnx(memoryModelSource(bytes)))
    expect(summary.stepCount).toBe(4)
  })

  test('mutated models never fail without a code', async () => {
    const seeds = [
      tinyModel({ kind: 'cnn' }),
      tinyModel({ kind: 'cnn', batch: 'n' }),
      tinyModel({ kind: 'mlp' }),
    ]
    const mutated = fc.constantFrom(...seeds).chain((seed) =>
      fc
        .array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
        .map((mutations) => {
          const copy = seed.slice()
          for (const [at, value] of mutations) copy[at] = value
          return copy
        }),
    )
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => {
        try {
          await compile(bytes)
        } catch (error) {
          if (!isMlCapsuleError(error)) throw error
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 20_000 : 200 },
    )
  })
})
