// SPDX-License-Identifier: Apache-2.0
// Steps over bytes: sums modulo 2^32, and each float operation rounded to float32, as every backend has to give it.
import { panelWidth, recordFlags } from '../abi.generated.ts'
import { roundHalfEven } from '../operators/elements/elements.ts'
import { quantizedPanelSizeBytes } from '../program/quantized-panels.ts'
import type { OpRecordFields } from '../records/record.ts'
import type { MemoryViews } from './moves.ts'
import { tapsInside } from './window.ts'

const { fround } = Math

/** Clamps and rounds; what is not a number becomes the lower bound. */
function bounded(x: number, low: number, high: number): number {
  const raised = x > low ? x : low
  return roundHalfEven(raised < high ? raised : high)
}

/** `a + b`, two quantized numbers of which each is rounded, quantized again. */
function quantizedSum(a: number, b: number, scale: number, zero: number, low: number, high: number): number {
  return zero + bounded(fround(fround(a + b) / scale), low - zero, high - zero)
}

const dequantized = (q: number, zero: number, scale: number) => fround((q - zero) * scale)

/** Sum and multiplier of one filter at one place. What the zero point adds is in the bias, also where the border is. */
function sumOf(
  r: OpRecordFields<'quantizedConv2d'>,
  memory: Uint8Array,
  view: DataView,
  image: number,
  top: number,
  left: number,
  filter: number,
): readonly [sum: number, multiplier: number] {
  const groupInputs = r.inputChannels / r.groups
  const groupOutputs = r.outputChannels / r.groups
  const group = Math.floor(filter / groupOutputs)
  const column = filter % groupOutputs
  const fours = Math.ceil(groupInputs / 4)
  const panelsPerGroup = Math.ceil(groupOutputs / panelWidth)
  const panelSizeBytes = quantizedPanelSizeBytes(groupInputs, r.kernelHeight * r.kernelWidth)
  const panel = r.weights + (group * panelsPerGroup + Math.floor(column / panelWidth)) * panelSizeBytes
  const n = column % panelWidth
  let sum = view.getInt32(panel + 4 * n, true)
  for (let kh = 0; kh < r.kernelHeight; kh++) {
    const y = top + kh * r.dilationHeight
    for (let kw = 0; kw < r.kernelWidth; kw++) {
      const x = left + kw * r.dilationWidth
      const isInside = y >= 0 && x >= 0 && y < r.inputHeight && x < r.inputWidth
      const from =
        r.input + ((image * r.inputHeight + y) * r.inputWidth + x) * r.inputChannels + group * groupInputs
      const tap = panel + 128 + (kh * r.kernelWidth + kw) * fours * 64 + 4 * n
      for (let c = 0; c < groupInputs; c++) {
        const value = isInside ? (memory[from + c] as number) : r.inputZero
        sum = (sum + value * view.getInt8(tap + Math.floor(c / 4) * 64 + (c % 4))) | 0
      }
    }
  }
  return [sum, view.getFloat32(panel + 64 + 4 * n, true)]
}

export function runQuantizedConv2d(r: OpRecordFields<'quantizedConv2d'>, views: MemoryViews): void {
  const memory = views[1]
  const view = new DataView(memory.buffer)
  let at = 0
  for (let image = 0; image < r.batch; image++) {
    for (let y = 0; y < r.outputHeight; y++) {
      for (let x = 0; x < r.outputWidth; x++) {
        const [top, left] = [y * r.strideHeight - r.padTop, x * r.strideWidth - r.padLeft]
        for (let o = 0; o < r.outputChannels; o++, at++) {
          const [sum, multiplier] = sumOf(r, memory, view, image, top, left, o)
          const q = bounded(fround(fround(sum) * multiplier), r.low - r.zero, r.high - r.zero)
          if ((r.flags & recordFlags.hasResidual) === 0) {
            memory[r.output + at] = q + r.zero
            continue
          }
          const residual = dequantized(memory[r.residual + at] as number, r.residualZero, r.residualScale)
          const own = fround(q * r.scale)
          memory[r.output + at] = quantizedSum(own, residual, r.sumScale, r.sumZero, r.sumLow, r.sumHigh)
        }
      }
    }
  }
}

export function runQuantize(r: OpRecordFields<'quantize'>, views: MemoryViews): void {
  const floats = new Float32Array(views[1].buffer, r.input, r.count)
  for (const [i, x] of floats.entries()) {
    views[1][r.output + i] = r.zero + bounded(fround(x / r.scale), r.low - r.zero, r.high - r.zero)
  }
}

export function runDequantize(r: OpRecordFields<'dequantize'>, views: MemoryViews): void {
  const floats = new Float32Array(views[1].buffer, r.output, r.count)
  for (let i = 0; i < r.count; i++) floats[i] = dequantized(views[1][r.input + i] as number, r.zero, r.scale)
}

export function runQuantizedAdd(r: OpRecordFields<'quantizedAdd'>, views: MemoryViews): void {
  const memory = views[1]
  for (let i = 0; i < r.count; i++) {
    const a = dequantized(memory[r.a + i] as number, r.aZero, r.aScale)
    const b = dequantized(memory[r.b + i] as number, r.bZero, r.bScale)
    memory[r.output + i] = quantizedSum(a, b, r.scale, r.zero, r.low, r.high)
  }
}

export function runQuantizedMaxPool2d(r: OpRecordFields<'quantizedMaxPool2d'>, views: MemoryViews): void {
  const memory = views[1]
  let at = r.output
  for (let image = 0; image < r.batch; image++) {
    for (let y = 0; y < r.outputHeight; y++) {
      for (let x = 0; x < r.outputWidth; x++) {
        const [top, left] = [y * r.strideHeight - r.padTop, x * r.strideWidth - r.padLeft]
        const rows = tapsInside(top, r.dilationHeight, r.kernelHeight, r.inputHeight)
        const columns = tapsInside(left, r.dilationWidth, r.kernelWidth, r.inputWidth)
        for (let c = 0; c < r.channels; c++, at++) {
          let best = 0
          for (let kh = rows.first; kh < rows.end; kh++) {
            for (let kw = columns.first; kw < columns.end; kw++) {
              const row = image * r.inputHeight + top + kh * r.dilationHeight
              const pixel = row * r.inputWidth + left + kw * r.dilationWidth
              best = Math.max(best, memory[r.input + pixel * r.channels + c] as number)
            }
          }
          memory[at] = best
        }
      }
    }
  }
}
