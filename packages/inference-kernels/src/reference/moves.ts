// SPDX-License-Identifier: Apache-2.0
import type { OpRecordFields } from '../records/record.ts'
import { walkBox } from './elements.ts'

/** The memory as elements of 1, 2, 4 and 8 bytes: whole elements only, so bits move unchanged. */
export interface MemoryViews {
  readonly 1: Uint8Array
  readonly 2: Uint16Array
  readonly 4: Uint32Array
  readonly 8: BigUint64Array
}

export function viewMemory(buffer: ArrayBuffer): MemoryViews {
  return {
    1: new Uint8Array(buffer),
    2: new Uint16Array(buffer),
    4: new Uint32Array(buffer),
    8: new BigUint64Array(buffer),
  }
}

export function runCopy(r: OpRecordFields<'copy'>, views: MemoryViews): void {
  const size = r.elementSizeBytes as keyof MemoryViews
  const memory = views[size] as Uint32Array // the element type is the same on both sides
  const [input, output] = [r.input / size, r.output / size]
  walkBox(r.dims, r.inputStrides, r.outputStrides, (from, to) => {
    memory[output + to] = memory[input + from] as number
  })
}

export function runFill(r: OpRecordFields<'fill'>, views: MemoryViews): void {
  const size = r.elementSizeBytes as keyof MemoryViews
  const start = r.output / size
  if (size === 8) views[8].fill(BigInt.asUintN(64, BigInt(r.bits)), start, start + r.count)
  else views[size].fill(r.bits, start, start + r.count)
}
