// SPDX-License-Identifier: Apache-2.0
// Steps over bytes. Kernels clip windows to the image or copy what they reach, as in check-windows.ts.
import { alignmentBytes, type OpRecordName, panelWidth, recordFlags } from '../abi.generated.ts'
import { quantizedPanelSizeBytes } from '../program/quantized-panels.ts'
import { windowFault } from './check-windows.ts'
import { apart, apartOrSame, extentOf, fits, packedColumns, times } from './extent.ts'
import type { OpRecordFields } from './record.ts'

type Fault<Op extends OpRecordName> = keyof OpRecordFields<Op> | null

const isByte = (value: number) => value >= 0 && value <= 255

/** The first of some fields that is no byte. */
function byteFault<Name extends string>(r: Readonly<Record<Name, number>>, ...names: Name[]): Name | null {
  return names.find((name) => !isByte(r[name])) ?? null
}

export function checkQuantizedConv2d(
  r: OpRecordFields<'quantizedConv2d'>,
  memorySizeBytes: number,
): Fault<'quantizedConv2d'> {
  const fault = windowFault(r)
  if (fault !== null) return fault
  if (r.inputChannels < 1) return 'inputChannels'
  if (r.outputChannels < 1) return 'outputChannels'
  if (r.groups < 1 || r.inputChannels % r.groups !== 0 || r.outputChannels % r.groups !== 0) return 'groups'
  if ((r.flags & ~recordFlags.hasResidual) !== 0) return 'flags'
  const noByte = byteFault(r, 'inputZero', 'zero', 'low')
  if (noByte !== null) return noByte
  if (r.high < r.low || !isByte(r.high)) return 'high'
  const noSumByte = byteFault(r, 'residualZero', 'sumZero', 'sumLow')
  if (noSumByte !== null) return noSumByte
  if (r.sumHigh < r.sumLow || !isByte(r.sumHigh)) return 'sumHigh'
  const input = extentOf(r.input, times(r.batch, r.inputHeight, r.inputWidth, r.inputChannels), 1)
  const output = extentOf(r.output, times(r.batch, r.outputHeight, r.outputWidth, r.outputChannels), 1)
  const panels = times(packedColumns(r.outputChannels / r.groups) / panelWidth, r.groups)
  const tapCount = r.kernelHeight * r.kernelWidth
  const panelSizeBytes = quantizedPanelSizeBytes(r.inputChannels / r.groups, tapCount)
  const weights = extentOf(r.weights, times(panels, panelSizeBytes), 1)
  if (!fits(input, memorySizeBytes, 1)) return 'input'
  if (!fits(weights, memorySizeBytes, alignmentBytes)) return 'weights'
  if (!fits(output, memorySizeBytes, 1)) return 'output'
  if (!apart(input, output) || !apart(weights, output)) return 'output'
  if (r.flags & recordFlags.hasResidual) {
    const residual = { start: r.residual, end: r.residual + output.end - output.start }
    if (!fits(residual, memorySizeBytes, 1) || !apartOrSame(residual, output)) return 'residual'
  }
  return null
}

export function checkQuantize(r: OpRecordFields<'quantize'>, memorySizeBytes: number): Fault<'quantize'> {
  if (r.count < 0) return 'count'
  const noByte = byteFault(r, 'zero', 'low')
  if (noByte !== null) return noByte
  if (r.high < r.low || !isByte(r.high)) return 'high'
  const input = extentOf(r.input, r.count, 4)
  const output = extentOf(r.output, r.count, 1)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(output, memorySizeBytes, 1)) return 'output'
  return apart(input, output) ? null : 'output'
}

export function checkDequantize(
  r: OpRecordFields<'dequantize'>,
  memorySizeBytes: number,
): Fault<'dequantize'> {
  if (r.count < 0) return 'count'
  if (!isByte(r.zero)) return 'zero'
  const input = extentOf(r.input, r.count, 1)
  const output = extentOf(r.output, r.count, 4)
  if (!fits(input, memorySizeBytes, 1)) return 'input'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  return apart(input, output) ? null : 'output'
}

export function checkQuantizedAdd(
  r: OpRecordFields<'quantizedAdd'>,
  memorySizeBytes: number,
): Fault<'quantizedAdd'> {
  if (r.count < 0) return 'count'
  const noByte = byteFault(r, 'aZero', 'bZero', 'zero', 'low')
  if (noByte !== null) return noByte
  if (r.high < r.low || !isByte(r.high)) return 'high'
  const [a, b, output] = [
    extentOf(r.a, r.count, 1),
    extentOf(r.b, r.count, 1),
    extentOf(r.output, r.count, 1),
  ]
  if (!fits(a, memorySizeBytes, 1)) return 'a'
  if (!fits(b, memorySizeBytes, 1)) return 'b'
  if (!fits(output, memorySizeBytes, 1)) return 'output'
  return apartOrSame(a, output) && apartOrSame(b, output) ? null : 'output'
}

export function checkQuantizedMaxPool2d(
  r: OpRecordFields<'quantizedMaxPool2d'>,
  memorySizeBytes: number,
): Fault<'quantizedMaxPool2d'> {
  const fault = windowFault(r)
  if (fault !== null) return fault
  if (r.channels < 1) return 'channels'
  const input = extentOf(r.input, times(r.batch, r.inputHeight, r.inputWidth, r.channels), 1)
  const output = extentOf(r.output, times(r.batch, r.outputHeight, r.outputWidth, r.channels), 1)
  if (!fits(input, memorySizeBytes, 1)) return 'input'
  if (!fits(output, memorySizeBytes, 1)) return 'output'
  return apart(input, output) ? null : 'output'
}
