// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { checkRecord } from '../records/check.ts'
import { fieldOfWord } from '../records/record-error.ts'
import type { Problem } from './problem.ts'
import type { SeededRandom } from './random.ts'

const edges = [
  0,
  1,
  -1,
  2,
  3,
  7,
  15,
  16,
  17,
  63,
  64,
  65,
  4096,
  0x7fffffff,
  -0x80000000,
  0x40000000,
  0xfffc | 0,
]

/** A valid record with one to three words changed. */
function damaged(random: SeededRandom, problem: Problem): Int32Array {
  const record = problem.record.slice()
  for (let i = random.int(1, 3); i > 0; i--) {
    const word = random.int(0, random.pick([12, 30, recordWordCount - 1]))
    const old = record[word] as number
    record[word] = random.pick([
      ...edges,
      old + 1,
      old - 1,
      old * 2,
      -old,
      problem.memory.length,
      random.int(0, 200),
    ])
  }
  return record
}

function codeOf(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof KernelError) return `${error.code} ${error.field ?? ''} ${error.stepIndex ?? ''}`
    throw error
  }
}

/**
 * Offers damaged records to a backend, which must refuse exactly what the checker refuses, name the same field, and
 * run the rest without harm.
 * @throws KernelError `KERNEL_SELF_TEST_FAILED` with the record on which they differ
 */
export async function assertChecksAlike(
  backend: KernelBackend,
  problem: Problem,
  random: SeededRandom,
  name: string,
): Promise<void> {
  const memorySizeBytes = problem.memory.length
  const kernels = await backend.create({ memorySizeBytes })
  try {
    for (let i = 0; i < 20; i++) {
      const record = damaged(random, problem)
      const list = new Int32Array(2 * recordWordCount)
      list.set(problem.record)
      list.set(record, recordWordCount)
      const word = checkRecord(record, 0, memorySizeBytes)
      const field = fieldOfWord(record[0] as number, word)
      const expected = word < 0 ? undefined : `KERNEL_RECORD_INVALID records[1].${field} 1`
      const actual = codeOf(() => {
        const handle = kernels.load(list)
        kernels.runStep(handle, 1)
      })
      if (actual !== expected) {
        const detail = `${name}: expected ${expected ?? 'to be accepted'}, got ${actual ?? 'accepted'}: [${record.join(', ')}] in ${memorySizeBytes} bytes`
        throw new KernelError('KERNEL_SELF_TEST_FAILED', detail)
      }
    }
  } finally {
    kernels.dispose()
  }
}
