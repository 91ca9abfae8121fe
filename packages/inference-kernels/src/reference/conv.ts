// SPDX-License-Identifier: Apache-2.0
import { panelWidth, recordEnums, recordFlags } from '../abi.generated.ts'
import type { OpRecordFields } from '../records/record.ts'
import { activationFunction, type ElementFunction } from './functions.ts'
import { weightReader } from './weights.ts'
import { tapsInside } from './window.ts'

/** The activation that a record names. */
export function activationOf(r: {
  readonly activation: number
  readonly activationAlpha: number
  readonly activationBeta: number
}): ElementFunction {
  const kind = recordEnums.activation[r.activation] ?? 'none'
  return activationFunction({ kind, alpha: r.activationAlpha, beta: r.activationBeta })
}

/** Calls `visit` with the top left corner of the window of each output pixel, and that pixel's index. */
function eachWindow(
  r: Pick<
    OpRecordFields<'pool2d'>,
    'batch' | 'outputHeight' | 'outputWidth' | 'strideHeight' | 'strideWidth' | 'padTop' | 'padLeft'
  >,
  visit: (image: number, top: number, left: number, pixel: number) => void,
): void {
  let pixel = 0
  for (let image = 0; image < r.batch; image++) {
    for (let y = 0; y < r.outputHeight; y++) {
      for (let x = 0; x < r.outputWidth; x++) {
        visit(image, y * r.strideHeight - r.padTop, x * r.strideWidth - r.padLeft, pixel++)
      }
    }
  }
}

export function runConv2d(r: OpRecordFields<'conv2d'>, memory: Float32Array): void {
  const activate = activationOf(r)
  const weight = weightReader(r, memory)
  const [input, bias, residual, output] = [r.input / 4, r.bias / 4, r.residual / 4, r.output / 4]
  const groupInputs = r.inputChannels / r.groups
  const groupOutputs = r.outputChannels / r.groups
  const panelSize = r.kernelHeight * r.kernelWidth * groupInputs * panelWidth
  const panelsPerGroup = Math.ceil(groupOutputs / panelWidth)
  const sums = new Float64Array(r.outputChannels)
  eachWindow(r, (image, top, left, pixel) => {
    sums.fill(0)
    const rows = tapsInside(top, r.dilationHeight, r.kernelHeight, r.inputHeight)
    const columns = tapsInside(left, r.dilationWidth, r.kernelWidth, r.inputWidth)
    for (let kh = rows.first; kh < rows.end; kh++) {
      for (let kw = columns.first; kw < columns.end; kw++) {
        const y = top + kh * r.dilationHeight
        const x = left + kw * r.dilationWidth
        const from = input + ((image * r.inputHeight + y) * r.inputWidth + x) * r.inputChannels
        const tap = (kh * r.kernelWidth + kw) * groupInputs
        for (let o = 0; o < r.outputChannels; o++) {
          const group = Math.floor(o / groupOutputs)
          const column = o % groupOutputs
          const panel = group * panelsPerGroup + Math.floor(column / panelWidth)
          let at = panel * panelSize + tap * panelWidth + (column % panelWidth)
          let sum = sums[o] as number
          for (let c = 0; c < groupInputs; c++, at += panelWidth) {
            sum += (memory[from + group * groupInputs + c] as number) * weight(at, o)
          }
          sums[o] = sum
        }
      }
    }
    for (let o = 0; o < r.outputChannels; o++) {
      const at = pixel * (r.outputChannels + r.outputGap) + o
      let sum = sums[o] as number
      if (r.flags & recordFlags.hasBias) sum += memory[bias + o] as number
      if (r.flags & recordFlags.hasResidual) sum += memory[residual + at] as number
      memory[output + at] = activate(sum)
    }
  })
}

export function runDepthwiseConv2d(r: OpRecordFields<'depthwiseConv2d'>, memory: Float32Array): void {
  const activate = activationOf(r)
  const [input, weights, bias, output] = [r.input / 4, r.weights / 4, r.bias / 4, r.output / 4]
  const panelSize = r.kernelHeight * r.kernelWidth * panelWidth
  eachWindow(r, (image, top, left, pixel) => {
    const rows = tapsInside(top, r.dilationHeight, r.kernelHeight, r.inputHeight)
    const columns = tapsInside(left, r.dilationWidth, r.kernelWidth, r.inputWidth)
    for (let c = 0; c < r.channels; c++) {
      const panel = weights + Math.floor(c / panelWidth) * panelSize + (c % panelWidth)
      let sum = r.flags & recordFlags.hasBias ? (memory[bias + c] as number) : 0
      for (let kh = rows.first; kh < rows.end; kh++) {
        for (let kw = columns.first; kw < columns.end; kw++) {
          const y = top + kh * r.dilationHeight
          const x = left + kw * r.dilationWidth
          const from = input + ((image * r.inputHeight + y) * r.inputWidth + x) * r.channels + c
          const weight = memory[panel + (kh * r.kernelWidth + kw) * panelWidth] as number
          sum += (memory[from] as number) * weight
        }
      }
      memory[output + pixel * r.channels + c] = activate(sum)
    }
  })
}

export function runPool2d(r: OpRecordFields<'pool2d'>, memory: Float32Array): void {
  const [input, output] = [r.input / 4, r.output / 4]
  const isMax = recordEnums.pool[r.pool] === 'max'
  const count = ({ first, end }: { first: number; end: number }) => end - first
  eachWindow(r, (image, top, left, pixel) => {
    const rows = tapsInside(top, r.dilationHeight, r.kernelHeight, r.inputHeight)
    const columns = tapsInside(left, r.dilationWidth, r.kernelWidth, r.inputWidth)
    let divisor = count(rows) * count(columns)
    if (r.countIncludePad === 1) {
      const paddedHeight = r.inputHeight + r.padTop + r.padBottom
      const paddedWidth = r.inputWidth + r.padLeft + r.padRight
      divisor =
        count(tapsInside(top + r.padTop, r.dilationHeight, r.kernelHeight, paddedHeight)) *
        count(tapsInside(left + r.padLeft, r.dilationWidth, r.kernelWidth, paddedWidth))
    }
    for (let c = 0; c < r.channels; c++) {
      let best = Number.NEGATIVE_INFINITY
      let sum = 0
      for (let kh = rows.first; kh < rows.end; kh++) {
        for (let kw = columns.first; kw < columns.end; kw++) {
          const y = top + kh * r.dilationHeight
          const x = left + kw * r.dilationWidth
          const value = memory[
            input + ((image * r.inputHeight + y) * r.inputWidth + x) * r.channels + c
          ] as number
          best = Math.max(best, value)
          sum += value
        }
      }
      memory[output + pixel * r.channels + c] = isMax ? best : sum / (divisor || 1)
    }
  })
}
