// SPDX-License-Identifier: Apache-2.0
import { createRegistry, type StandardSchema, type Tensor } from '@mlcapsule/contracts'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod/mini'
import { classRow } from '../test-support/tensors.ts'
import { block, defineDefense, parseDefenseConfig, pass, perturb, rounding, topK } from './index.ts'
import { assertDefenseContract, runDefense } from './testing/index.ts'

const budget = defineDefense({
  name: 'budget',
  version: 1,
  config: z.strictObject({ queryCount: z.int() }),
  state: { schema: z.strictObject({ used: z.int() }), initial: () => ({ used: 0 }) },
  onQuery: ({ config, state }) => {
    expectTypeOf(config).toEqualTypeOf<{ queryCount: number }>()
    expectTypeOf(state).toEqualTypeOf<{ used: number }>()
    if (state.used >= config.queryCount) return block({ alarm: 3 })
    return pass({ state: { used: state.used + 1 } })
  },
})

const query = { inputs: [classRow([1])], outputs: [classRow([0.25, 0.75])] }

describe('defineDefense', () => {
  test('infers config, state and name', () => {
    expectTypeOf(budget.name).toEqualTypeOf<'budget'>()
    expect(budget.kind).toBe('defense')
    expect(Object.isFrozen(budget)).toBe(true)
  })

  test('state runs from query to query', () => {
    const first = runDefense(budget, { queryCount: 1 }, query)
    expect(first.outputs).toBe(query.outputs)
    expect(first.state).toEqual({ used: 1 })
    const second = runDefense(budget, { queryCount: 1 }, query, first.state)
    expect(second.outputs).toBeNull()
    expect(second.query).toEqual({ verdict: 'block', alarm: 3 })
  })

  test('works in a registry, twice is a type error', () => {
    const builder = createRegistry().use(rounding).use(topK)
    // @ts-expect-error rounding is already there
    expect(() => builder.use(rounding)).toThrow(
      expect.objectContaining({ code: 'CONTRACT_PLUGIN_DUPLICATE' }),
    )
  })
})

test('parseDefenseConfig refuses a schema that answers later', () => {
  const later: StandardSchema<object> = {
    '~standard': { version: 1, vendor: 'test', validate: () => Promise.resolve({ value: {} }) },
  }
  expect(() => parseDefenseConfig({ name: 'later', config: later }, {})).toThrow(
    expect.objectContaining({ code: 'DEFENSE_CONFIG_INVALID', field: 'later' }),
  )
})

describe('assertDefenseContract', () => {
  const config = z.strictObject({})
  const broken: [string, (outputs: readonly Tensor[]) => readonly Tensor[]][] = [
    [
      'writes to its arguments',
      (outputs) => {
        ;(outputs[0] as Tensor).data[0] = 9
        return outputs
      },
    ],
    ['is not deterministic', () => [classRow([Math.random(), 0])]],
    ['gives its arguments back as its own', (outputs) => [...outputs]],
    ['drops an output', () => []],
    ['changes the shape', () => [{ ...classRow([1, 2]), shape: [2, 1] }]],
    ['gives NaN', () => [classRow([Number.NaN, 0])]],
  ]
  test.each(broken)('finds a defense that %s', (_reason, change) => {
    const defense = defineDefense({
      name: 'broken',
      version: 1,
      config,
      onAnswer: (_context, outputs) => perturb(change(outputs)),
    })
    const fresh = { inputs: [], outputs: [classRow([0.25, 0.75])] }
    expect(() => assertDefenseContract(defense, {}, [fresh])).toThrow(
      expect.objectContaining({ code: 'DEFENSE_CONTRACT_BROKEN', field: 'cases[0]' }),
    )
  })

  test('finds a defense whose alarms are not deterministic', () => {
    let calls = 0
    const defense = defineDefense({
      name: 'broken',
      version: 1,
      config,
      onAnswer: () => pass({ alarm: calls++ === 0 ? 0 : 1 }),
    })
    expect(() => assertDefenseContract(defense, {}, [query])).toThrow(
      expect.objectContaining({ code: 'DEFENSE_CONTRACT_BROKEN', field: 'cases[0]' }),
    )
  })

  test('is content with a defense that lets everything pass', () => {
    const defense = defineDefense({ name: 'open', version: 1, config, onAnswer: () => pass() })
    expect(() => assertDefenseContract(defense, {}, [query])).not.toThrow()
  })
})
