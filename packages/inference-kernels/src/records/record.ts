// SPDX-License-Identifier: Apache-2.0
import {
  type OpRecordName,
  opRecords,
  type RecordField,
  recordEnums,
  recordWordCount,
} from '../abi.generated.ts'

type Fields<Op extends OpRecordName> = (typeof opRecords)[Op]['fields']
type FieldValue<Field> = Field extends { readonly length: 1 } ? number : readonly number[]

/** One record as named fields: enums as their numbers, floats as numbers, addresses unsigned. */
export type OpRecordFields<Op extends OpRecordName> = {
  readonly [Name in keyof Fields<Op>]: FieldValue<Fields<Op>[Name]>
}

/** A record of some op; `op` tells which. */
export type AnyRecord = { [Op in OpRecordName]: { readonly op: Op } & OpRecordFields<Op> }[OpRecordName]

/** Names of the ops by opcode. */
export const opNames: ReadonlyMap<number, OpRecordName> = new Map(
  Object.entries(opRecords).map(([name, { opcode }]) => [opcode, name as OpRecordName]),
)

export type EnumName = keyof typeof recordEnums

/** Number of an enum's member in records. */
export function enumNumber<Name extends EnumName>(
  name: Name,
  member: (typeof recordEnums)[Name][number],
): number {
  return (recordEnums[name] as readonly string[]).indexOf(member)
}

export interface NamedRecordField extends RecordField {
  readonly name: string
}

const fieldLists = new Map<OpRecordName, readonly NamedRecordField[]>()
for (const op of opNames.values()) {
  fieldLists.set(
    op,
    Object.entries(opRecords[op].fields).map(([name, field]) => ({ name, ...field })),
  )
}

/** The fields of an op in the order of their words. */
export function recordFields(op: OpRecordName): readonly NamedRecordField[] {
  return fieldLists.get(op) ?? []
}

const floatBits = new Float32Array(1)
const intBits = new Int32Array(floatBits.buffer)

export function floatToBits(value: number): number {
  floatBits[0] = value
  return intBits[0] as number
}

export function bitsToFloat(bits: number): number {
  intBits[0] = bits
  return floatBits[0] as number
}

function toWord(field: RecordField, value: number): number {
  return field.type === 'float' ? floatToBits(value) : value | 0
}

function fromWord(field: RecordField, word: number): number {
  if (field.type === 'float') return bitsToFloat(word)
  return field.type === 'address' ? word >>> 0 : word
}

/**
 * Writes one record.
 * @param words `recordWordCount` words or more, from `offset` on; those that no field owns become zero
 */
export function writeRecord<Op extends OpRecordName>(
  words: Int32Array,
  offset: number,
  op: Op,
  values: OpRecordFields<Op>,
): void {
  words.fill(0, offset, offset + recordWordCount)
  words[offset] = opRecords[op].opcode
  for (const field of recordFields(op)) {
    const value = (values as Readonly<Record<string, number | readonly number[]>>)[field.name]
    const elements = typeof value === 'number' ? [value] : (value ?? [])
    for (let i = 0; i < field.length; i++) words[offset + field.word + i] = toWord(field, elements[i] ?? 0)
  }
}

/** Makes one record of `recordWordCount` words. */
export function makeRecord<Op extends OpRecordName>(op: Op, values: OpRecordFields<Op>): Int32Array {
  const words = new Int32Array(recordWordCount)
  writeRecord(words, 0, op, values)
  return words
}

/** Reads one record, without checking more than its opcode. @returns null for an opcode that does not exist */
export function readRecord(words: Int32Array, offset: number): AnyRecord | null {
  const op = opNames.get(words[offset] as number)
  if (op === undefined) return null
  const record: Record<string, unknown> = { op }
  for (const field of recordFields(op)) {
    const at = offset + field.word
    record[field.name] =
      field.length === 1
        ? fromWord(field, words[at] as number)
        : Array.from(words.subarray(at, at + field.length), (word) => fromWord(field, word))
  }
  return record as unknown as AnyRecord
}
