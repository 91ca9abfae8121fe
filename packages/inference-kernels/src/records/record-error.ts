// SPDX-License-Identifier: Apache-2.0
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { opNames, recordFields } from './record.ts'

/** Name of the field that owns a word of a record, e.g. `outputHeight` or `dims[2]`; `opcode` and `reserved` else. */
export function fieldOfWord(opcode: number, word: number): string {
  const op = opNames.get(opcode)
  if (op === undefined || word === 0) return 'opcode'
  const field = recordFields(op).find((each) => word >= each.word && word < each.word + each.length)
  if (field === undefined) return 'reserved'
  return field.length === 1 ? field.name : `${field.name}[${word - field.word}]`
}

/**
 * The error of a record that a check refused. Every kernel backend uses it, so that all name a fault alike.
 * @param records the list given to `load`
 * @param word index of the word at fault within its record
 */
export function recordError(records: Int32Array, stepIndex: number, word: number): KernelError {
  const opcode = records[stepIndex * recordWordCount] as number
  const field = fieldOfWord(opcode, word)
  const value = records[stepIndex * recordWordCount + word]
  return new KernelError(
    'KERNEL_RECORD_INVALID',
    `record ${stepIndex} (${opNames.get(opcode) ?? 'unknown opcode'}): ${field} does not fit, its word is ${value}`,
    { field: `records[${stepIndex}].${field}`, stepIndex },
  )
}

/** The error of a list whose length is not a whole number of records. */
export function recordListError(wordCount: number): KernelError {
  return new KernelError(
    'KERNEL_RECORD_INVALID',
    `the list has ${wordCount} words, expected a multiple of ${recordWordCount}`,
    { field: 'records' },
  )
}
