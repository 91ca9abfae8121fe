// SPDX-License-Identifier: Apache-2.0
import { alignmentBytes, recordEnums, recordFlags } from '../abi.generated.ts'
import { apart, apartOrSame, extentOf, fits, packedColumns, plus, rowsExtent, times } from './extent.ts'
import type { OpRecordFields } from './record.ts'
import { scalesFit, weightSizeBytes } from './weights.ts'

const anyFlags = recordFlags.hasBias | recordFlags.hasResidual

export function checkDense(
  r: OpRecordFields<'dense'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'dense'> | null {
  if (r.rowCount < 1) return 'rowCount'
  if (r.innerCount < 1) return 'innerCount'
  if (r.columnCount < 1) return 'columnCount'
  if ((r.flags & ~anyFlags) !== 0) return 'flags'
  if (r.activation < 0 || r.activation >= recordEnums.activation.length) return 'activation'
  if (r.outputGap < 0) return 'outputGap'
  if (r.weightsType < 0 || r.weightsType >= recordEnums.weightsType.length) return 'weightsType'
  const input = extentOf(r.input, times(r.rowCount, r.innerCount), 4)
  const weightCount = times(packedColumns(r.columnCount), r.innerCount)
  const weights = extentOf(r.weights, weightCount, weightSizeBytes(r.weightsType))
  const output = rowsExtent(r.output, r.rowCount, r.columnCount, r.outputGap)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(weights, memorySizeBytes, alignmentBytes)) return 'weights'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  if (!apart(input, output) || !apart(weights, output)) return 'output'
  if (!scalesFit(r, r.columnCount, output, memorySizeBytes)) return 'weightScales'
  if (r.flags & recordFlags.hasBias) {
    const bias = extentOf(r.bias, r.columnCount, 4)
    if (!fits(bias, memorySizeBytes, 4) || !apart(bias, output)) return 'bias'
  }
  if (r.flags & recordFlags.hasResidual) {
    const residual = { start: r.residual, end: r.residual + output.end - output.start }
    if (!fits(residual, memorySizeBytes, 4) || !apartOrSame(residual, output)) return 'residual'
  }
  return null
}

export function checkMatmul(
  r: OpRecordFields<'matmul'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'matmul'> | null {
  for (const field of ['batchCount', 'rowCount', 'innerCount', 'columnCount'] as const) {
    if (r[field] < 1) return field
  }
  if (r.aBatchStride < 0) return 'aBatchStride'
  if (r.bBatchStride < 0) return 'bBatchStride'
  const aCount = plus(times(r.batchCount - 1, r.aBatchStride), times(r.rowCount, r.innerCount))
  const bCount = plus(times(r.batchCount - 1, r.bBatchStride), times(r.innerCount, r.columnCount))
  const a = extentOf(r.a, aCount, 4)
  const b = extentOf(r.b, bCount, 4)
  const output = extentOf(r.output, times(r.batchCount, r.rowCount, r.columnCount), 4)
  if (!fits(a, memorySizeBytes, 4)) return 'a'
  if (!fits(b, memorySizeBytes, 4)) return 'b'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  return apart(a, output) && apart(b, output) ? null : 'output'
}
