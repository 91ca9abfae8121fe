// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KernelError } from '../errors.ts'
import { planProgram } from '../plan/plan-program.ts'
import { bytesProgram } from '../testing/bytes-program.ts'
import { randomDynamicProgram } from '../testing/random-dynamic-program.ts'
import { randomProgram } from '../testing/random-program.ts'
import {
  branchProgram,
  compactProgram,
  denseProgram,
  imageProgram,
  sequenceProgram,
} from '../testing/sample-programs.ts'
import { decodeProgram } from './decode.ts'
import { encodeProgram } from './encode.ts'

const numRuns = process.env.SLOW === '1' ? 200_000 : 3000
const samples = [
  imageProgram(),
  denseProgram(),
  branchProgram(),
  sequenceProgram(),
  compactProgram(),
  bytesProgram(),
].map(({ program }) => encodeProgram(program))

/** Either a coded error, or a program whose only encoding these bytes are, and which is bound or refused with a code. */
function decodesOrRefuses(bytes: Uint8Array): void {
  let program: ReturnType<typeof decodeProgram>
  try {
    program = decodeProgram(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError)
    return
  }
  expect(encodeProgram(program)).toEqual(bytes)
  try {
    planProgram(program, { symbols: Object.fromEntries(program.symbols.map((name) => [name, 2])) })
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError)
  }
}

test('every program comes back from its encoding', () => {
  const roundTrip = (seed: number) => {
    const program = seed % 2 === 0 ? randomProgram(seed) : randomDynamicProgram(seed)
    expect(decodeProgram(encodeProgram(program))).toEqual(program)
  }
  fc.assert(fc.property(fc.integer(), roundTrip), { numRuns: numRuns / 10 })
})

test('random bytes are refused with a code', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), decodesOrRefuses), { numRuns: numRuns / 4 })
})

test('damaged programs are refused with a code, or are programs of their own', () => {
  const damage = fc.array(
    fc.record({ at: fc.nat(), word: fc.oneof(fc.integer(), fc.integer({ min: -4, max: 40 })) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  fc.assert(
    fc.property(fc.constantFrom(...samples), damage, (sample, changes) => {
      const bytes = sample.slice()
      const view = new DataView(bytes.buffer)
      for (const { at, word } of changes) view.setInt32((at % (bytes.length / 4)) * 4, word, true)
      decodesOrRefuses(bytes)
    }),
    { numRuns },
  )
})
