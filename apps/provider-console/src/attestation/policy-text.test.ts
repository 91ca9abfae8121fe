// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { devPolicy } from '../../test-support/packed-store.ts'
import { formatPolicyText, parsePolicyText, policyMaxSizeBytes } from './policy-text.ts'

const parse = (text: string) => parsePolicyText(text, 'policy.yaml')
const refused = expect.objectContaining({ code: 'PROVIDER_POLICY_INVALID' })

describe('policies as text', () => {
  test('YAML and JSON say the same', () => {
    expect(parse(formatPolicyText(devPolicy))).toEqual(devPolicy)
    expect(parse(JSON.stringify(devPolicy))).toEqual(devPolicy)
    expect(parse(JSON.stringify(devPolicy, null, '\t'))).toEqual(devPolicy)
    expect(parse('# who may have keys\nname: "1"\nages: [1, 2]\ndebug: no\n')).toEqual({
      name: '1',
      ages: [1, 2],
      debug: 'no',
    })
  })

  test('any JSON comes back from YAML', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const plain = { value: JSON.parse(JSON.stringify(value)) as unknown }
        expect(parse(formatPolicyText(plain))).toEqual(plain)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['a repeated key', 'a: 1\na: 2'],
    ['a repeated key in JSON', '{"a": 1, "a": 2}'],
    ['a repeated key that is escaped', '{"a": 1, "\\u0061": 2}'],
    ['a repeated key further in', 'a:\n  b: 1\n  b: 2'],
    ['an alias', 'a: &x 1\nb: *x'],
    ['an anchor', 'a: &x 1'],
    ['aliases that would grow', `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]`],
    ['a tag', 'a: !!str 1'],
    ['a tag of its own', 'a: !secret 1'],
    ['two documents', 'a: 1\n---\na: 2'],
    ['a list as a key', '? [a]\n: 1'],
    ['a text', 'not JSON'],
    ['a list', '[1]'],
    ['nothing', ''],
    ['what is not closed', '{"a": 1'],
    ['depth without an end', '['.repeat(100_000)],
    ['more than fits', `a: ${'x'.repeat(policyMaxSizeBytes)}`],
  ])('refuses %s', (_what, text) => {
    expect(() => parse(text)).toThrow(refused)
  })

  test('does not merge, and knows no key with a meaning of its own', () => {
    expect(parse('<<: {a: 1}\nb: 2')).toEqual({ '<<': { a: 1 }, b: 2 })
    const value = parse('__proto__: {debug: true}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__'])
  })
})
