// SPDX-License-Identifier: Apache-2.0
import { parseNitroDocument } from '@mlcapsule/attestation/nitro'
import { describe, expect, test } from 'vitest'
import type { VectorCase } from './case.ts'
import { runNitroCase } from './cases/nitro.ts'
import { realAccepted, vectorsMissing } from './kind.ts'
import { extremes, flipped, tallyMutations } from './mutations.ts'

const file = 'doc.cose'

/** Offsets of the numbers that say how long the payload, the signature, the text and the maps in them are. */
function lengthFields(vector: VectorCase): readonly (readonly [at: number, sizeBytes: number])[] {
  const bytes = vector.read(file)
  const { message } = parseNitroDocument(bytes)
  const payloadAt = bytes.length - 98 - message.payload.length
  const find = (name: string) =>
    Buffer.from(bytes).indexOf(Buffer.concat([Buffer.of(0x60 | name.length), Buffer.from(name)])) +
    1 +
    name.length
  return [
    [0, 1],
    [1, 1],
    [payloadAt - 3, 1],
    [payloadAt - 2, 2],
    [payloadAt, 1],
    [payloadAt + message.payload.length, 2],
    ...['pcrs', 'certificate', 'cabundle', 'user_data', 'nonce', 'public_key'].flatMap((name) =>
      [1, 2, 3].map((sizeBytes) => [find(name), sizeBytes] as const),
    ),
  ]
}

describe.skipIf(vectorsMissing !== null)(`changed Nitro evidence ${vectorsMissing ?? ''}`, () => {
  const cases = realAccepted('nitro')

  test('there are documents of both forms', () => {
    expect(cases.map(({ name }) => name)).toEqual([
      'nitro/debug-2022-evervault',
      'nitro/valid-2022-evervault',
      'nitro/valid-2025-dstack-indefinite-map',
    ])
  })

  test.each(cases)('no byte of $name can be another', async (vector) => {
    const mutations = [...flipped(vector.read(file))]
    const tally = await tallyMutations(vector, file, mutations, runNitroCase)
    expect(tally).toEqual({ acceptedCount: 0, refusedCount: mutations.length })
  })

  test.each(cases)('no length in $name can be another', async (vector) => {
    const original = Buffer.from(vector.read(file))
    const mutations = lengthFields(vector)
      .flatMap(([at, sizeBytes]) => [...extremes(vector.read(file), at, sizeBytes)])
      .filter((it) => !original.equals(it))
    expect(mutations.length).toBeGreaterThan(100)
    const tally = await tallyMutations(vector, file, mutations, runNitroCase)
    expect(tally).toEqual({ acceptedCount: 0, refusedCount: mutations.length })
  })
})
