// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttributeSchema, AttributeValue } from '../attributes.ts'
import { OperatorFault } from '../fault.ts'
import type { Operator } from '../operator.ts'
import { runOperator } from '../testing.ts'
import { productOperators } from './index.ts'

const dtype = fc.oneof(
  { weight: 8, arbitrary: fc.constant<DType>('float32') },
  { weight: 2, arbitrary: fc.constantFrom<DType>('int64', 'int32', 'uint8', 'int8', 'bool') },
)

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype,
    shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
    byte: fc.constantFrom(0, 1, 0x3f, 0x7f, 0xff),
  })
  .map(({ dtype: of, shape, byte }) => {
    const count = elementCount(shape)
    const bytes = new Uint8Array(count * elementSizeBytes(of)).fill(of === 'bool' ? byte & 1 : byte)
    return { dtype: of, shape, data: viewTensorData(of, bytes.buffer, 0, count) }
  })

function attributeValue(schema: AttributeSchema): fc.Arbitrary<AttributeValue> {
  const int = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }))
  const float = fc.constantFrom(0, 1, -1, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
  switch (schema.kind) {
    case 'int':
      return int
    case 'float':
      return float
    case 'flag':
      return fc.boolean()
    case 'ints':
      return fc.array(int, { maxLength: 6 })
    case 'floats':
      return fc.array(float, { maxLength: 6 })
    case 'oneOf':
      return fc.constantFrom(...schema.members)
  }
}

const callOf = ({ inputCount: [least, most], outputCount: [, outputs], attributes }: Operator) =>
  fc.record({
    // Operands of one shape fit together more often than others.
    inputs: fc.oneof(
      fc.array(fc.option(tensor, { freq: 8 }), { minLength: least, maxLength: most }),
      fc
        .tuple(tensor, fc.integer({ min: least, max: most }))
        .map(([it, count]) => Array.from({ length: count }, () => it)),
    ),
    attributes: fc.record(
      Object.fromEntries(Object.entries(attributes).map(([name, schema]) => [name, attributeValue(schema)])),
      { requiredKeys: [] },
    ),
    outputCount: fc.integer({ min: 1, max: outputs }),
  })

test.each(productOperators.map((it) => [it.name, it] as const))(
  '%s ends any call with results or a fault',
  (name, operator) => {
    fc.assert(
      fc.property(callOf(operator), ({ inputs, attributes, outputCount }) => {
        let results: readonly Tensor[]
        try {
          results = runOperator(name, inputs, attributes as Record<string, AttributeValue>, outputCount)
        } catch (error) {
          if (error instanceof OperatorFault) return
          throw error
        }
        expect(results).toHaveLength(outputCount)
        for (const { shape, data } of results) {
          expect(shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)).toBe(true)
          expect(data).toHaveLength(elementCount(shape))
        }
      }),
      { numRuns: Number(process.env.SLOW === '1' ? 20_000 : 500) },
    )
  },
)
