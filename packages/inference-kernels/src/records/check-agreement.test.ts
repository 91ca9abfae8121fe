// SPDX-License-Identifier: Apache-2.0
// The checker in C and the one in TypeScript must blame the same word of the same record.
import type { Kernels } from '@mlcapsule/contracts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { opRecords, recordWordCount } from '../abi.generated.ts'
import { SeededRandom } from '../testing/random.ts'
import { wasmKernels } from '../wasm/index.ts'
import { checkRecord } from './check.ts'
import { type OpRecordFields, opNames, recordFields, writeRecord } from './record.ts'
import { fieldOfWord } from './record-error.ts'

const memorySizeBytes = 65_536
const extremes = [0, -1, 1, 2, 3, 16, 64, 4096, 65_536, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), 1 - 2 ** 31]
const roundCount = process.env.SLOW === '1' ? 1_000_000 : 30_000

let kernels: Kernels
beforeAll(async () => {
  kernels = await wasmKernels.create({ memorySizeBytes })
})
afterAll(() => kernels.dispose())

/** A record with small counts, addresses apart and plausible fields: most are valid before anything is damaged. */
function plausibleRecord(random: SeededRandom): Int32Array {
  const op = random.pick([...opNames.values()])
  const values: Record<string, number | number[]> = {}
  let address = 0
  for (const field of recordFields(op)) {
    const one = () => {
      if (field.type === 'address') {
        address += 8192
        return address - 8192
      }
      if (field.name === 'elementSizeBytes') return random.pick([1, 2, 4, 8])
      if (field.type === 'stride') return random.int(0, 3)
      return field.type === 'count' ? random.int(1, 3) : random.int(0, 1)
    }
    values[field.name] = field.length === 1 ? one() : Array.from({ length: field.length }, one)
  }
  const record = new Int32Array(recordWordCount)
  writeRecord(record, 0, op, values as unknown as OpRecordFields<typeof op>)
  return record
}

function faultOfC(record: Int32Array): string | undefined {
  try {
    kernels.load(record)
    return undefined
  } catch (error) {
    return (error as { field?: string }).field
  }
}

it(`agree on ${roundCount} records, most of them damaged`, { timeout: 600_000 }, () => {
  const accepted = new Map<number, number>()
  const random = new SeededRandom(20_260_101)
  for (let round = 0; round < roundCount; round++) {
    const record = plausibleRecord(random)
    const opcode = record[0] as number
    for (let damage = random.int(0, 3); damage > 0; damage--) {
      const word = random.int(1, random.int(0, 9) === 0 ? recordWordCount - 1 : 42)
      record[word] = random.int(0, 3) === 0 ? random.int(-(2 ** 31), 2 ** 31 - 1) : random.pick(extremes)
    }
    const word = checkRecord(record, 0, memorySizeBytes)
    const expected = word < 0 ? undefined : `records[0].${fieldOfWord(opcode, word)}`
    expect(faultOfC(record), `round ${round}: ${record.join(' ')}`).toBe(expected)
    if (word < 0) accepted.set(opcode, (accepted.get(opcode) ?? 0) + 1)
  }
  // Agreement means something only where both answers occur, for every op.
  for (const { opcode } of Object.values(opRecords)) expect(accepted.get(opcode) ?? 0).toBeGreaterThan(20)
})
