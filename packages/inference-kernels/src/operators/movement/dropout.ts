// SPDX-License-Identifier: Apache-2.0
import { mismatch, unsupported } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { product, required, result } from '../support.ts'

/** Passes its input on, with a mask that is true. Training, with a ratio other than 0, is random: it is refused. */
export const dropout = defineOperator({
  name: 'Dropout',
  inputCount: [1, 3],
  outputCount: [1, 2],
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    for (const scalar of inputs.slice(1)) {
      if (scalar !== null && product(scalar.dims) !== 1) mismatch('ratio and training_mode are scalars')
    }
    return [result(dtype, dims), result('bool', dims)]
  },
  run({ inputs, outputs }) {
    const ratio = Number(inputs[1]?.data[0] ?? 0.5)
    if (Number(inputs[2]?.data[0] ?? 0) !== 0 && ratio !== 0)
      unsupported('training with a ratio other than 0')
    ;(required(outputs, 0).data as Float32Array).set(required(inputs, 0).data as Float32Array)
    outputs[1]?.data.fill(1 as never)
  },
})
