// SPDX-License-Identifier: Apache-2.0
import { recordEnums } from '../abi.generated.ts'
import type { OpRecordFields } from '../records/record.ts'
import { activationOf } from './conv.ts'
import { binaryFunction, unaryFunction } from './functions.ts'

export function runUnary(r: OpRecordFields<'unary'>, memory: Float32Array): void {
  const apply = unaryFunction(recordEnums.unary[r.unary] ?? 'identity', r.alpha, r.beta)
  for (let i = 0; i < r.count; i++) memory[r.output / 4 + i] = apply(memory[r.input / 4 + i] as number)
}

/** Calls `visit` with the offsets that two lists of strides give for each index of a box, the last dimension fastest. */
export function walkBox(
  dims: readonly number[],
  aStrides: readonly number[],
  bStrides: readonly number[],
  visit: (aOffset: number, bOffset: number) => void,
): void {
  if (dims.includes(0)) return
  const index = new Array<number>(dims.length).fill(0)
  let a = 0
  let b = 0
  for (;;) {
    visit(a, b)
    let d = dims.length - 1
    for (; d >= 0; d--) {
      const dim = dims[d] as number
      const next = (index[d] as number) + 1
      a += aStrides[d] as number
      b += bStrides[d] as number
      if (next < dim) {
        index[d] = next
        break
      }
      index[d] = 0
      a -= dim * (aStrides[d] as number)
      b -= dim * (bStrides[d] as number)
    }
    if (d < 0) return
  }
}

export function runBinary(r: OpRecordFields<'binary'>, memory: Float32Array): void {
  const apply = binaryFunction(recordEnums.binary[r.binary] ?? 'add')
  const activate = activationOf(r)
  let output = r.output / 4
  walkBox(r.dims, r.aStrides, r.bStrides, (a, b) => {
    const value = apply(memory[r.a / 4 + a] as number, memory[r.b / 4 + b] as number)
    memory[output++] = activate(value)
  })
}

export function runSoftmax(r: OpRecordFields<'softmax'>, memory: Float32Array): void {
  const isLog = recordEnums.softmax[r.softmax] === 'logsoftmax'
  for (let outer = 0; outer < r.outerCount; outer++) {
    for (let inner = 0; inner < r.innerCount; inner++) {
      const place = (i: number) => (outer * r.axisCount + i) * r.innerCount + inner
      let highest = Number.NEGATIVE_INFINITY
      for (let i = 0; i < r.axisCount; i++) {
        highest = Math.max(highest, memory[r.input / 4 + place(i)] as number)
      }
      let sum = 0
      for (let i = 0; i < r.axisCount; i++) {
        sum += Math.exp((memory[r.input / 4 + place(i)] as number) - highest)
      }
      for (let i = 0; i < r.axisCount; i++) {
        const shifted = (memory[r.input / 4 + place(i)] as number) - highest
        memory[r.output / 4 + place(i)] = isLog ? shifted - Math.log(sum) : Math.exp(shifted) / sum
      }
    }
  }
}
