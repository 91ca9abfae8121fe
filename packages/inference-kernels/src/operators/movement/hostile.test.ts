// SPDX-License-Identifier: Apache-2.0
// Calls that fit by chance or not at all: each gives a fault, or whole results made of the inputs.
import type { Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttributeSchema, AttributeValue } from '../attributes.ts'
import { OperatorFault } from '../fault.ts'
import { completeAttributes, type Operator } from '../operator.ts'
import { operatorOf } from '../registry.ts'
import { product } from '../support.ts'
import { runOperator } from '../testing.ts'
import { movementOperators } from './index.ts'
import { float32, list, tensor, unknownDims } from './testing.ts'

/** Never among the inputs; results are full of it before an operator runs. */
const garbage = 77
const small = fc.integer({ min: -3, max: 6 })
const wild = fc.oneof(
  { arbitrary: small, weight: 9 },
  { arbitrary: fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 2 ** 62, -(2 ** 63)), weight: 1 },
)
const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
const elements = (dims: readonly number[], of: fc.Arbitrary<number>) =>
  fc.array(of, { minLength: product(dims), maxLength: product(dims) })

const floats = (dims: readonly number[]) => elements(dims, small).map((values) => float32(dims, values))
const integers = (dims: readonly number[], of: fc.Arbitrary<number>) =>
  elements(dims, of).map((values) => tensor('int64', dims, values))

/** @param common dims that several operands of a call have, so that some of the calls fit */
const operand = (common: readonly number[]): fc.Arbitrary<Tensor | null> =>
  fc.oneof(
    { weight: 4, arbitrary: floats(common) },
    { weight: 4, arbitrary: integers(common, fc.integer({ min: -1, max: 1 })) },
    { weight: 2, arbitrary: integers(common.slice(0, 1), fc.integer({ min: 0, max: 1 })) },
    { weight: 1, arbitrary: shape.chain(floats) },
    { weight: 1, arbitrary: shape.chain((dims) => integers(dims, wild)) },
    { weight: 2, arbitrary: fc.array(wild, { maxLength: 4 }).map((values) => list(...values)) },
    {
      weight: 1,
      arbitrary: elements([2], fc.integer({ min: 0, max: 1 })).map((values) => tensor('bool', [2], values)),
    },
    { weight: 1, arbitrary: fc.constant(null) },
  )

function attributeValue(schema: AttributeSchema): fc.Arbitrary<AttributeValue> {
  switch (schema.kind) {
    case 'int':
      return fc.oneof(small, fc.constantFrom(2 ** 31 - 1, -(2 ** 31) + 1))
    case 'flag':
      return fc.boolean()
    case 'ints':
      return fc.array(small, { maxLength: 4 })
    case 'oneOf':
      return fc.constantFrom(...schema.members)
    default:
      throw new TypeError(`no operator here has an attribute of kind ${schema.kind}`)
  }
}

const calls = (operator: Operator) => {
  const { attributes, inputCount, outputCount } = operator
  return fc.record({
    inputs: shape.chain((common) =>
      fc.array(operand(common), { minLength: inputCount[0], maxLength: Math.min(inputCount[1], 4) }),
    ),
    attributes: fc.record(
      Object.fromEntries(Object.entries(attributes).map(([name, schema]) => [name, attributeValue(schema)])),
    ),
    outputCount: fc.integer({ min: outputCount[0], max: Math.min(outputCount[1], 4) }),
  })
}

test.each([
  'Reshape',
  'Expand',
  'Unsqueeze',
  'Squeeze',
  'Tile',
  'Slice',
  'Pad',
  'CenterCropPad',
  'Split',
  'TopK',
])('%s refuses a list too long to be one, before it makes as long a list itself', (name) => {
  const operator = operatorOf(name) as Operator
  const long = { dtype: 'int64', dims: [2 ** 31 - 1], data: null } as const
  const inputs = [
    { dtype: 'float32', dims: [2, 3], data: null } as const,
    ...new Array<typeof long>(operator.inputCount[0] - 1 || 1).fill(long),
  ]
  const attributes = completeAttributes(operator, {}) as never
  expect(() => operator.infer({ inputs, attributes, outputCount: 1 })).toThrowError(
    expect.objectContaining({ kind: 'mismatch' }),
  )
})

test.each(movementOperators.map((operator) => [operator.name, operator] as const))('%s', (name, operator) => {
  let doneCount = 0
  fc.assert(
    fc.property(calls(operator), ({ inputs, attributes, outputCount }) => {
      try {
        const types = unknownDims(name, inputs, [], attributes, outputCount)
        expect(types.flat().every((dim) => Number.isInteger(dim) && (dim as number) >= 0)).toBe(true)
        // The engine refuses what is too large before it runs anything.
        if (types.some((dims) => product(dims as number[]) > 10_000)) return
        const results = runOperator(name, inputs, attributes, outputCount)
        expect(results.length).toBe(outputCount)
        for (const { data } of results) {
          const numbers = Array.from(data as Float32Array, Number)
          expect(numbers.filter((it) => Number.isNaN(it) || it === garbage)).toEqual([])
        }
        doneCount++
      } catch (error) {
        if (!(error instanceof OperatorFault)) throw error
      }
    }),
    { numRuns: 3000, seed: 1 },
  )
  // Calls that never fit would show nothing; the seed is one with which each operator has some that do.
  expect(doneCount).toBeGreaterThan(0)
})
