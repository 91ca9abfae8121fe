// SPDX-License-Identifier: Apache-2.0
import type { Defense, Tensor } from '@mlcapsule/contracts'
import { encodeCbor } from '@mlcapsule/crypto'
import { block, defineDefense, degrade, pass, perturb } from '@mlcapsule/defense-plugins'
import { describe, expect, test } from 'vitest'
import { z } from 'zod/mini'
import { DefenseChain } from '../src/core/defense-chain.ts'

const ports = {
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
} as const
const tensor = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length / 2, 2],
  data: Float32Array.from(values),
})
const valuesOf = (it: Tensor | undefined) => [...((it as Tensor).data as Float32Array)]
const noMemory = { defenseState: () => undefined }

function chainOf(...defenses: unknown[]): DefenseChain {
  const known = defenses as Defense[]
  return new DefenseChain(
    known,
    known.map(({ name, version }) => ({ name, version, config: {} })),
    ports,
  )
}

const empty = z.strictObject({})
const define = (name: string, hooks: Partial<Pick<Defense, 'onQuery' | 'onAnswer'>>) =>
  defineDefense({ name, version: 1, config: empty, ...hooks } as Parameters<typeof defineDefense>[0])

const run = (chain: DefenseChain, inputs = tensor(1, 2), outputs = tensor(0.25, 0.75)) =>
  chain.run({
    inputs: [inputs],
    itemCount: inputs.shape[0] as number,
    compute: () => [outputs],
    ledger: noMemory,
  })

describe('a chain of defenses', () => {
  test('runs in the order of the capsule, each on what the one before made', async () => {
    const doubled = define('doubled', {
      onAnswer: (_, [y]) => perturb([tensor(...valuesOf(y).map((v) => v * 2))]),
    })
    const plusOne = define('plus-one', {
      onAnswer: (_, [y]) => perturb([tensor(...valuesOf(y).map((v) => v + 1))]),
    })
    expect((await run(chainOf(doubled, plusOne))).outputs).toEqual([tensor(1.5, 2.5)])
    expect((await run(chainOf(plusOne, doubled))).outputs).toEqual([tensor(2.5, 3.5)])
  })

  test('shows each item of a batch to onQuery', async () => {
    const seen: number[][] = []
    const watch = define('watch', {
      onQuery: (_, [x]) => {
        seen.push(valuesOf(x))
        return pass()
      },
    })
    await run(chainOf(watch), tensor(1, 2, 3, 4, 5, 6), tensor(0, 0, 0, 0, 0, 0))
    expect(seen).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
  })

  test('gives the gravest verdict and the highest alarms', async () => {
    const mild = define('mild', { onAnswer: (_, outputs) => perturb(outputs, { alarm: 1 }) })
    const grave = define('grave', {
      onQuery: () => pass({ alarm: 3 }),
      onAnswer: (_, outputs) => degrade(outputs, { alarm: 2 }),
    })
    expect((await run(chainOf(grave, mild))).outcome).toEqual({
      verdict: 'degrade',
      levels: [3, 1],
      defenses: {},
    })
    expect((await run(chainOf())).outcome).toEqual({ verdict: 'pass', levels: [], defenses: {} })
  })

  test('does not run the model for a query that is blocked', async () => {
    const wall = define('wall', { onQuery: () => block({ alarm: 2 }) })
    let ran = false
    const answer = await chainOf(wall).run({
      inputs: [tensor(1, 2)],
      itemCount: 1,
      compute: () => {
        ran = true
        return []
      },
      ledger: noMemory,
    })
    expect(answer).toEqual({ outputs: [], outcome: { verdict: 'block', levels: [2], defenses: {} } })
    expect(ran).toBe(false)
  })

  const faults: Record<string, Partial<Pick<Defense, 'onQuery' | 'onAnswer'>>> = {
    'throws on the query': {
      onQuery: () => {
        throw new Error('fault')
      },
    },
    'throws on the answer': {
      onAnswer: () => {
        throw new Error('fault')
      },
    },
    'gives NaN': { onAnswer: () => perturb([tensor(Number.NaN, 1)]) },
    'gives infinity': { onAnswer: () => perturb([tensor(Number.POSITIVE_INFINITY, 1)]) },
    'gives another shape': { onAnswer: () => perturb([tensor(1, 2, 3, 4)]) },
    'gives another dtype': {
      onAnswer: () => perturb([{ dtype: 'int32', shape: [1, 2], data: Int32Array.of(1, 2) }]),
    },
    'gives no outputs': { onAnswer: () => perturb([]) },
    'gives something else than tensors': { onAnswer: () => perturb([undefined as never]) },
    'gives outputs that are no list': { onAnswer: () => perturb(undefined as never) },
    'says null': { onAnswer: () => null as never },
    'says a word that is no verdict': { onAnswer: () => ({ verdict: 'fine' }) as never },
    'gives an alarm that there is not': { onAnswer: () => pass({ alarm: 7 as never }) },
    'forgets to answer on the query': { onQuery: () => undefined as never },
    'forgets to answer on the answer': { onAnswer: () => undefined as never },
    'answers null': { onQuery: () => null as never },
    'answers later': { onAnswer: () => Promise.resolve(pass()) as never },
    'answers with an unknown word': { onAnswer: (_, outputs) => ({ verdict: 'maybe', outputs }) as never },
    'perturbs a query': { onQuery: () => perturb([]) as never },
    'perturbs without outputs': { onAnswer: () => ({ verdict: 'perturb' }) as never },
    'gives outputs that are no tensors': { onAnswer: () => perturb([null as never]) },
    'has no memory and gives a state': { onQuery: () => pass({ state: 1 } as never) },
    'gives a state that cannot be sealed': { onAnswer: () => pass({ state: { f: () => 1 } } as never) },
  }
  test.each(Object.entries(faults))('blocks when a defense %s', async (_, hooks) => {
    expect(await run(chainOf(define('faulty', hooks)))).toMatchObject({
      outputs: [],
      outcome: { verdict: 'block' },
    })
  })

  test('blocks what the model itself gives as NaN', async () => {
    expect((await run(chainOf(), tensor(1, 2), tensor(Number.NaN, 0))).outcome.verdict).toBe('block')
  })

  test('lets the fault of the model through: that is not the client’s to pay', async () => {
    const query = { inputs: [tensor(1, 2)], itemCount: 1, ledger: noMemory }
    const compute = () => {
      throw new Error('kernels')
    }
    await expect(chainOf().run({ ...query, compute })).rejects.toThrow('kernels')
  })
})

describe('memory of a defense', () => {
  const counter = defineDefense({
    name: 'counter',
    version: 1,
    config: empty,
    state: { schema: z.strictObject({ seen: z.int() }), initial: () => ({ seen: 0 }) },
    onQuery: ({ state: { seen } }) =>
      seen >= 3 ? block({ state: { seen } }) : pass({ state: { seen: seen + 1 } }),
  })
  const query = { inputs: [tensor(1, 2)], itemCount: 1, compute: () => [tensor(0, 1)] }

  test('starts at its beginning, comes from the ledger, and goes back with the settlement', async () => {
    const chain = chainOf(counter)
    expect((await chain.run({ ...query, ledger: noMemory })).outcome.defenses).toEqual({
      counter: encodeCbor({ seen: 1 }),
    })
    const ledger = {
      defenseState: (name: string) => (name === 'counter' ? encodeCbor({ seen: 2 }) : undefined),
    }
    expect((await chain.run({ ...query, ledger })).outcome).toMatchObject({
      verdict: 'pass',
      defenses: { counter: encodeCbor({ seen: 3 }) },
    })
  })

  test('passes from item to item, and is kept when a later item is blocked', async () => {
    const batch = tensor(1, 1, 2, 2, 3, 3, 4, 4)
    const answer = await chainOf(counter).run({ ...query, inputs: [batch], itemCount: 4, ledger: noMemory })
    expect(answer.outcome).toMatchObject({ verdict: 'block', defenses: { counter: encodeCbor({ seen: 3 }) } })
  })

  test('of another form does not get into the record: the query is blocked', async () => {
    const forgetful = { ...counter, onQuery: () => pass({ state: { seen: 'many' } as never }) }
    const { outcome } = await chainOf(forgetful).run({ ...query, ledger: noMemory })
    expect(outcome).toEqual({ verdict: 'block', levels: [0], defenses: {} })
  })

  test('of another form is refused', async () => {
    const ledger = { defenseState: () => encodeCbor({ other: 1 }) }
    await expect(chainOf(counter).run({ ...query, ledger })).rejects.toMatchObject({
      code: 'ENCLAVE_RECORD_INVALID',
    })
  })
})
