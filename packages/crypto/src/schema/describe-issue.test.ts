// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeIssue } from './describe-issue.ts'
import { identifier } from './fields.ts'

const schema = z.strictObject({
  size: z.int(),
  parts: z.record(identifier, z.literal(1)),
})
const describeRefusal = (value: unknown) => {
  const result = schema.safeParse(value)
  return result.success ? undefined : describeIssue(result.error, 'thing')
}

test('names the first field at fault', () => {
  expect(describeRefusal({ size: 1.5, parts: {} })?.field).toBe('thing.size')
  expect(describeRefusal({ size: 1, parts: { a: 2 } })?.field).toBe('thing.parts.a')
  expect(describeRefusal({ size: 1, parts: {}, extra: 1 })).toEqual({
    field: 'thing',
    detail: 'thing: unknown member extra',
  })
})

test('repeats no name that is not plain', () => {
  const hostile = '\u001b[2Jwiped'
  const long = 'x'.repeat(60_000)
  for (const name of [hostile, long]) {
    const whole = describeRefusal({ size: 1, parts: {}, [name]: 1 })
    const inside = describeRefusal({ size: 1, parts: { [name]: 1 } })
    expect(whole).toEqual({ field: 'thing', detail: 'thing: unknown member ?' })
    expect(inside?.field).toBe('thing.parts.?')
    expect(inside?.detail).not.toContain(name)
  }
})
