// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect } from 'vitest'
import { isCoded } from './errors.ts'

/** Puts another character at any place of a token, and looks that each of the readers refuses it with a code. */
export async function expectChangesRefused(
  token: string,
  ...readers: readonly ((changed: string) => Promise<unknown>)[]
): Promise<void> {
  const place = fc.nat({ max: token.length - 1 })
  const property = fc.asyncProperty(place, fc.constantFrom(...'AQgwx09-_.'), async (at, character) => {
    fc.pre(token[at] !== character)
    const changed = token.slice(0, at) + character + token.slice(at + 1)
    for (const read of readers) await expect(read(changed)).rejects.toSatisfy(isCoded)
  })
  await fc.assert(property, { numRuns: 200 })
}
