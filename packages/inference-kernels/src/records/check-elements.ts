// SPDX-License-Identifier: Apache-2.0
import { recordEnums } from '../abi.generated.ts'
import { apart, apartOrSame, boxExtent, extentOf, fits, isDense, reach, times } from './extent.ts'
import type { OpRecordFields } from './record.ts'

const isElementSize = (sizeBytes: number) => [1, 2, 4, 8].includes(sizeBytes)

export function checkUnary(
  r: OpRecordFields<'unary'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'unary'> | null {
  if (r.count < 0) return 'count'
  if (r.unary < 0 || r.unary >= recordEnums.unary.length) return 'unary'
  const input = extentOf(r.input, r.count, 4)
  const output = extentOf(r.output, r.count, 4)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  return apartOrSame(input, output) ? null : 'output'
}

export function checkBinary(
  r: OpRecordFields<'binary'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'binary'> | readonly [keyof OpRecordFields<'binary'>, number] | null {
  if (r.binary < 0 || r.binary >= recordEnums.binary.length) return 'binary'
  for (let d = 0; d < r.dims.length; d++) {
    for (const field of ['dims', 'aStrides', 'bStrides'] as const) {
      if ((r[field][d] as number) < 0) return [field, d]
    }
  }
  if (r.activation < 0 || r.activation >= recordEnums.activation.length) return 'activation'
  const a = extentOf(r.a, reach(r.dims, r.aStrides), 4)
  const b = extentOf(r.b, reach(r.dims, r.bStrides), 4)
  const output = extentOf(r.output, times(...r.dims), 4)
  if (!fits(a, memorySizeBytes, 4)) return 'a'
  if (!fits(b, memorySizeBytes, 4)) return 'b'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  if (!apart(a, output) && !(a.start === output.start && isDense(r.dims, r.aStrides))) return 'output'
  if (!apart(b, output) && !(b.start === output.start && isDense(r.dims, r.bStrides))) return 'output'
  return null
}

export function checkSoftmax(
  r: OpRecordFields<'softmax'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'softmax'> | null {
  for (const field of ['outerCount', 'axisCount', 'innerCount'] as const) {
    if (r[field] < 1) return field
  }
  if (r.softmax < 0 || r.softmax >= recordEnums.softmax.length) return 'softmax'
  const count = times(r.outerCount, r.axisCount, r.innerCount)
  const input = extentOf(r.input, count, 4)
  const output = extentOf(r.output, count, 4)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  return apartOrSame(input, output) ? null : 'output'
}

export function checkCopy(
  r: OpRecordFields<'copy'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'copy'> | readonly [keyof OpRecordFields<'copy'>, number] | null {
  if (!isElementSize(r.elementSizeBytes)) return 'elementSizeBytes'
  const negative = r.dims.findIndex((dim) => dim < 0)
  if (negative >= 0) return ['dims', negative]
  const input = boxExtent(r.input, r.dims, r.inputStrides, r.elementSizeBytes, memorySizeBytes)
  if (input === null) return 'input'
  const output = boxExtent(r.output, r.dims, r.outputStrides, r.elementSizeBytes, memorySizeBytes)
  if (output === null || !apart(input, output)) return 'output'
  // A box with more elements than places writes some of them twice, and could keep a core busy for years.
  const placeCount = (output.end - output.start) / r.elementSizeBytes
  return times(...r.dims) <= placeCount ? null : 'outputStrides'
}

export function checkFill(
  r: OpRecordFields<'fill'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'fill'> | null {
  if (!isElementSize(r.elementSizeBytes)) return 'elementSizeBytes'
  if (r.count < 0) return 'count'
  const output = extentOf(r.output, r.count, r.elementSizeBytes)
  return fits(output, memorySizeBytes, r.elementSizeBytes) ? null : 'output'
}
