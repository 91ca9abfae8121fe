// SPDX-License-Identifier: Apache-2.0
import { opRecords, recordWordCount } from '../abi.generated.ts'
import { checkBinary, checkCopy, checkFill, checkSoftmax, checkUnary } from './check-elements.ts'
import { checkDense, checkMatmul } from './check-products.ts'
import {
  checkDequantize,
  checkQuantize,
  checkQuantizedAdd,
  checkQuantizedConv2d,
  checkQuantizedMaxPool2d,
} from './check-quantized.ts'
import { checkConv2d, checkDepthwiseConv2d, checkPool2d } from './check-windows.ts'
import { type AnyRecord, readRecord, recordFields } from './record.ts'
import { recordError, recordListError } from './record-error.ts'

type Fault = string | readonly [string, number] | null

function faultOf(record: AnyRecord, memorySizeBytes: number): Fault {
  switch (record.op) {
    case 'conv2d':
      return checkConv2d(record, memorySizeBytes)
    case 'depthwiseConv2d':
      return checkDepthwiseConv2d(record, memorySizeBytes)
    case 'dense':
      return checkDense(record, memorySizeBytes)
    case 'matmul':
      return checkMatmul(record, memorySizeBytes)
    case 'pool2d':
      return checkPool2d(record, memorySizeBytes)
    case 'unary':
      return checkUnary(record, memorySizeBytes)
    case 'binary':
      return checkBinary(record, memorySizeBytes)
    case 'softmax':
      return checkSoftmax(record, memorySizeBytes)
    case 'copy':
      return checkCopy(record, memorySizeBytes)
    case 'fill':
      return checkFill(record, memorySizeBytes)
    case 'quantizedConv2d':
      return checkQuantizedConv2d(record, memorySizeBytes)
    case 'quantize':
      return checkQuantize(record, memorySizeBytes)
    case 'dequantize':
      return checkDequantize(record, memorySizeBytes)
    case 'quantizedAdd':
      return checkQuantizedAdd(record, memorySizeBytes)
    case 'quantizedMaxPool2d':
      return checkQuantizedMaxPool2d(record, memorySizeBytes)
  }
}

/**
 * Checks one record against the size of the memory: opcode, enum ranges, counts, extents, alignment, overlap. A record
 * that passes cannot make a kernel read or write outside the memory, whatever the memory holds. The C kernels make the
 * same checks on their own.
 * @param offset of the record in `words`
 * @returns the index of the word at fault within the record (0 is the opcode), or -1
 */
export function checkRecord(words: Int32Array, offset: number, memorySizeBytes: number): number {
  const record = readRecord(words, offset)
  if (record === null) return 0
  const last = recordFields(record.op).at(-1)
  const usedWordCount = last === undefined ? 1 : last.word + last.length
  for (let word = usedWordCount; word < recordWordCount; word++) {
    if (words[offset + word] !== 0) return word
  }
  const fault = faultOf(record, memorySizeBytes)
  if (fault === null) return -1
  const [name, index] = typeof fault === 'string' ? [fault, 0] : fault
  const fields = opRecords[record.op].fields as Readonly<Record<string, { readonly word: number }>>
  return (fields[name]?.word ?? 0) + index
}

/**
 * Checks a list of records.
 * @throws KernelError `KERNEL_RECORD_INVALID` naming the first record and field at fault
 */
export function assertRecords(records: Int32Array, memorySizeBytes: number): void {
  if (records.length % recordWordCount !== 0) throw recordListError(records.length)
  for (let offset = 0; offset < records.length; offset += recordWordCount) {
    const word = checkRecord(records, offset, memorySizeBytes)
    if (word >= 0) throw recordError(records, offset / recordWordCount, word)
  }
}
