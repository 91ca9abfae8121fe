// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'
import { ClientError } from '../errors.ts'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const
const headerMaxSizeBytes = 4096
const maxRank = 8

const byDescr: Readonly<Record<string, DType>> = {
  '<f4': 'float32',
  '<f8': 'float64',
  '<f2': 'float16',
  '<i8': 'int64',
  '<i4': 'int32',
  '<i2': 'int16',
  '|i1': 'int8',
  '<u8': 'uint64',
  '<u4': 'uint32',
  '<u2': 'uint16',
  '|u1': 'uint8',
  '|b1': 'bool',
}

// The header is a Python literal; NumPy always writes its three keys in this order.
const header =
  /^\{'descr': '([<|][a-z]\d)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,15}, ?)*(?:\d{1,15},?)?)\), ?\} *\n?$/

/**
 * One tensor from a file in NumPy's format, versions 1.0 to 3.0.
 * @throws ClientError `CLIENT_INPUT_INVALID`
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function tensorFromNpy(bytes: Uint8Array): Tensor {
  if (!magic.every((byte, i) => bytes[i] === byte) || bytes.length < 12)
    throw invalid('not a file of the .npy format')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isFirstVersion = bytes[6] === 1
  const startBytes = isFirstVersion ? 10 : 12
  const sizeBytes = isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true)
  if (sizeBytes > headerMaxSizeBytes || startBytes + sizeBytes > bytes.length)
    throw invalid('the header does not end')
  const text = new TextDecoder('latin1').decode(bytes.subarray(startBytes, startBytes + sizeBytes))
  const [, descr = '', order, dimensions = ''] = header.exec(text) ?? []
  if (order === undefined) throw invalid('the header is not one of a plain array')
  const dtype = byDescr[descr]
  if (dtype === undefined)
    throw invalid(`element type ${descr} is not one of ${Object.keys(byDescr).join(', ')}`)
  if (order === 'True') throw invalid('expected C order; save it with numpy.ascontiguousarray')
  const shape = dimensions.split(',').flatMap((it) => (it.trim() === '' ? [] : [Number(it)]))
  if (shape.length > maxRank) throw invalid(`more than ${maxRank} dimensions`)
  const count = elementCount(shape)
  // A copy that starts at 0: `slice` of a Buffer would share its memory, out of alignment.
  const data = new Uint8Array(bytes.subarray(startBytes + sizeBytes))
  if (data.length !== count * elementSizeBytes(dtype)) {
    throw invalid(
      `shape [${shape.join(', ')}] takes ${count * elementSizeBytes(dtype)} bytes, got ${data.length}`,
    )
  }
  return { dtype, shape, data: viewTensorData(dtype, data.buffer, 0, count) }
}

function invalid(detail: string): ClientError {
  return new ClientError('CLIENT_INPUT_INVALID', `.npy: ${detail}`, { field: 'input' })
}
