// SPDX-License-Identifier: Apache-2.0
import { panelWidth, recordFlags } from '../abi.generated.ts'
import type { OpRecordFields } from '../records/record.ts'
import { activationOf } from './conv.ts'
import { weightReader } from './weights.ts'

export function runDense(r: OpRecordFields<'dense'>, memory: Float32Array): void {
  const activate = activationOf(r)
  const weight = weightReader(r, memory)
  const [input, bias, residual, output] = [r.input / 4, r.bias / 4, r.residual / 4, r.output / 4]
  for (let row = 0; row < r.rowCount; row++) {
    for (let n = 0; n < r.columnCount; n++) {
      let at = Math.floor(n / panelWidth) * r.innerCount * panelWidth + (n % panelWidth)
      let sum = r.flags & recordFlags.hasBias ? (memory[bias + n] as number) : 0
      for (let k = 0; k < r.innerCount; k++, at += panelWidth) {
        sum += (memory[input + row * r.innerCount + k] as number) * weight(at, n)
      }
      const index = row * (r.columnCount + r.outputGap) + n
      if (r.flags & recordFlags.hasResidual) sum += memory[residual + index] as number
      memory[output + index] = activate(sum)
    }
  }
}

export function runMatmul(r: OpRecordFields<'matmul'>, memory: Float32Array): void {
  for (let batch = 0; batch < r.batchCount; batch++) {
    const a = r.a / 4 + batch * r.aBatchStride
    const b = r.b / 4 + batch * r.bBatchStride
    const output = r.output / 4 + batch * r.rowCount * r.columnCount
    for (let row = 0; row < r.rowCount; row++) {
      for (let n = 0; n < r.columnCount; n++) {
        let sum = 0
        for (let k = 0; k < r.innerCount; k++) {
          sum +=
            (memory[a + row * r.innerCount + k] as number) * (memory[b + k * r.columnCount + n] as number)
        }
        memory[output + row * r.columnCount + n] = sum
      }
    }
  }
}
