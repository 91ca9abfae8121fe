// SPDX-License-Identifier: Apache-2.0
// Kernels clip every window to the image, so no padding, stride or dilation can lead out of it. What must hold here is
// that the tensors lie in the memory and that counts are what they say.
import { alignmentBytes, recordEnums, recordFlags } from '../abi.generated.ts'
import { apart, apartOrSame, extentOf, fits, packedColumns, rowsExtent, times } from './extent.ts'
import type { OpRecordFields } from './record.ts'
import { scalesFit, weightSizeBytes } from './weights.ts'

const positive = [
  'batch',
  'inputHeight',
  'inputWidth',
  'outputHeight',
  'outputWidth',
  'kernelHeight',
  'kernelWidth',
  'strideHeight',
  'strideWidth',
] as const

type Windows = Readonly<
  Record<(typeof positive)[number] | 'padTop' | 'padLeft' | 'dilationHeight' | 'dilationWidth', number>
>

export function windowFault(r: Windows): keyof Windows | null {
  const fault = positive.find((field) => r[field] < 1)
  if (fault !== undefined) return fault
  if (r.padTop < 0) return 'padTop'
  if (r.padLeft < 0) return 'padLeft'
  if (r.dilationHeight < 1) return 'dilationHeight'
  return r.dilationWidth < 1 ? 'dilationWidth' : null
}

const anyFlags = recordFlags.hasBias | recordFlags.hasResidual
const isEnum = (value: number, members: readonly string[]) => value >= 0 && value < members.length

export function checkConv2d(
  r: OpRecordFields<'conv2d'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'conv2d'> | null {
  const fault = windowFault(r)
  if (fault !== null) return fault
  if (r.inputChannels < 1) return 'inputChannels'
  if (r.outputChannels < 1) return 'outputChannels'
  if (r.groups < 1 || r.inputChannels % r.groups !== 0 || r.outputChannels % r.groups !== 0) return 'groups'
  if ((r.flags & ~anyFlags) !== 0) return 'flags'
  if (!isEnum(r.activation, recordEnums.activation)) return 'activation'
  if (r.outputGap < 0 || (r.outputGap > 0 && r.groups !== 1)) return 'outputGap'
  if (!isEnum(r.weightsType, recordEnums.weightsType)) return 'weightsType'
  const input = extentOf(r.input, times(r.batch, r.inputHeight, r.inputWidth, r.inputChannels), 4)
  const pixelCount = times(r.batch, r.outputHeight, r.outputWidth)
  const output = rowsExtent(r.output, pixelCount, r.outputChannels, r.outputGap)
  const innerCount = times(r.kernelHeight, r.kernelWidth, r.inputChannels / r.groups)
  const weights = extentOf(
    r.weights,
    times(packedColumns(r.outputChannels / r.groups), r.groups, innerCount),
    weightSizeBytes(r.weightsType),
  )
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(weights, memorySizeBytes, alignmentBytes)) return 'weights'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  if (!apart(input, output) || !apart(weights, output)) return 'output'
  if (!scalesFit(r, r.outputChannels, output, memorySizeBytes)) return 'weightScales'
  if (r.flags & recordFlags.hasBias) {
    const bias = extentOf(r.bias, r.outputChannels, 4)
    if (!fits(bias, memorySizeBytes, 4) || !apart(bias, output)) return 'bias'
  }
  if (r.flags & recordFlags.hasResidual) {
    const residual = { start: r.residual, end: r.residual + output.end - output.start }
    if (!fits(residual, memorySizeBytes, 4) || !apartOrSame(residual, output)) return 'residual'
  }
  return null
}

export function checkDepthwiseConv2d(
  r: OpRecordFields<'depthwiseConv2d'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'depthwiseConv2d'> | null {
  const fault = windowFault(r)
  if (fault !== null) return fault
  if (r.channels < 1) return 'channels'
  if ((r.flags & ~recordFlags.hasBias) !== 0) return 'flags'
  if (!isEnum(r.activation, recordEnums.activation)) return 'activation'
  const input = extentOf(r.input, times(r.batch, r.inputHeight, r.inputWidth, r.channels), 4)
  const output = extentOf(r.output, times(r.batch, r.outputHeight, r.outputWidth, r.channels), 4)
  const weights = extentOf(r.weights, times(packedColumns(r.channels), r.kernelHeight, r.kernelWidth), 4)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(weights, memorySizeBytes, alignmentBytes)) return 'weights'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  if (!apart(input, output) || !apart(weights, output)) return 'output'
  if (r.flags & recordFlags.hasBias) {
    const bias = extentOf(r.bias, r.channels, 4)
    if (!fits(bias, memorySizeBytes, 4) || !apart(bias, output)) return 'bias'
  }
  return null
}

export function checkPool2d(
  r: OpRecordFields<'pool2d'>,
  memorySizeBytes: number,
): keyof OpRecordFields<'pool2d'> | null {
  const fault = windowFault(r)
  if (fault !== null) return fault
  if (r.channels < 1) return 'channels'
  if (r.padBottom < 0) return 'padBottom'
  if (r.padRight < 0) return 'padRight'
  if (!isEnum(r.pool, recordEnums.pool)) return 'pool'
  if (r.countIncludePad !== 0 && r.countIncludePad !== 1) return 'countIncludePad'
  const input = extentOf(r.input, times(r.batch, r.inputHeight, r.inputWidth, r.channels), 4)
  const output = extentOf(r.output, times(r.batch, r.outputHeight, r.outputWidth, r.channels), 4)
  if (!fits(input, memorySizeBytes, 4)) return 'input'
  if (!fits(output, memorySizeBytes, 4)) return 'output'
  return apart(input, output) ? null : 'output'
}
