// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { devPolicy } from '../../test-support/packed-store.ts'
import { formatPolicyText, parsePolicyText } from './policy-text.ts'

const runs = process.env.SLOW === '1' ? 100_000 : 500
const text = formatPolicyText(devPolicy)

/** Every text is refused with its code, or says what it says again when it is written anew. */
function feed(changed: string): void {
  let value: object
  try {
    value = parsePolicyText(changed, 'policy.yaml')
  } catch (error) {
    expect(error).toEqual(expect.objectContaining({ code: 'PROVIDER_POLICY_INVALID' }))
    return
  }
  expect(parsePolicyText(formatPolicyText(value), 'policy.yaml')).toEqual(value)
}

test('#80 any edit of a policy', () => {
  const place = fc.nat({ max: text.length })
  const pieces = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.constantFrom('&a', '*a', '!!x', '---', '? ', '<<:', '|', '\t'),
  )
  fc.assert(
    fc.property(place, fc.nat({ max: 5 }), pieces, (at, cut, inserted) => {
      feed(text.slice(0, at) + inserted + text.slice(at + cut))
    }),
    { numRuns: runs },
  )
})

test('#80 any text', () => {
  const characters = fc.constantFrom(...'{}[]:,-?&*!|>%@\'"#\n\t ab1.')
  fc.assert(fc.property(fc.string({ unit: characters, maxLength: 60 }), feed), { numRuns: runs })
})
