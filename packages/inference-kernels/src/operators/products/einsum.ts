// SPDX-License-Identifier: Apache-2.0
import { ints } from '../attributes.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { numericDtypes, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { contractionOf } from './contraction.ts'
import { contractPair } from './einsum-pair.ts'
import { contractAll } from './einsum-terms.ts'

/**
 * Einstein's summation. Labels are numbers: those of each operand's dimensions in a row, and those of the result's. Labels
 * that the result lacks are summed over; a label that an operand has twice takes its diagonal.
 */
export const einsum = defineOperator({
  name: 'Einsum',
  inputCount: [1, 64],
  attributes: { labels: ints(), output: ints() },
  infer({ inputs, attributes: { labels, output } }) {
    const operands = inputs.map((_, i) => required(inputs, i))
    const { dtype } = required(inputs, 0)
    requireDtype(dtype, numericDtypes)
    for (const operand of operands) requireSameDtype(dtype, operand.dtype)
    const { sizes } = contractionOf(operands, labels, output)
    return [
      result(
        dtype,
        output.map((label) => sizes.get(label) as number),
      ),
    ]
  },
  run({ inputs, outputs, attributes: { labels, output } }) {
    const operands = inputs.map((_, i) => required(inputs, i))
    const contraction = contractionOf(operands, labels, output)
    const out = outputs[0] as Operand
    if (!contractPair(contraction, operands, out)) contractAll(contraction, operands, out)
  },
})
