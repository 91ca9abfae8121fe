// SPDX-License-Identifier: Apache-2.0
import { dtypes } from '@mlcapsule/contracts'
import { oneOf } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { required, result } from '../support.ts'
import { convertElements } from './convert.ts'

/** The same elements in another dtype. `to` names the dtype, where ONNX has a number. */
export const cast = defineOperator({
  name: 'Cast',
  inputCount: [1, 1],
  attributes: { to: oneOf(dtypes, 'float32') },
  infer: ({ inputs, attributes: { to } }) => [result(to, required(inputs, 0).dims)],
  run({ inputs, outputs, attributes: { to } }) {
    const x = required(inputs, 0)
    convertElements(x.data, x.dtype, required(outputs, 0).data, to)
  },
})

/** The same elements in the dtype of the second operand, whose elements do not matter. */
export const castLike = defineOperator({
  name: 'CastLike',
  inputCount: [2, 2],
  infer: ({ inputs }) => [result(required(inputs, 1).dtype, required(inputs, 0).dims)],
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const out = required(outputs, 0)
    convertElements(x.data, x.dtype, out.data, out.dtype)
  },
})
