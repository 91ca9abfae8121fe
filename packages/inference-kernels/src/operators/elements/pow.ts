// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { binaryFunction } from '../../reference/functions.ts'
import { badValue } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { broadcastAll, isBigInt, numericDtypes, requireDtype, required, result } from '../support.ts'
import { type Combine, combineElements } from './binary.ts'
import { toBigInteger } from './convert.ts'

const power = binaryFunction('pow')

/** The power of a 64-bit integer, with its low 64 bits kept; rounded toward 0 for a negative exponent. */
function integerPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) {
    if (base === 0n) badValue('0 is raised to a negative power')
    if (base === 1n) return 1n
    return base === -1n ? (exponent % 2n === 0n ? 1n : -1n) : 0n
  }
  let factor = base
  let power = 1n
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = BigInt.asIntN(64, power * factor)
    factor = BigInt.asIntN(64, factor * factor)
  }
  return power
}

function powerOf(base: DType, exponent: DType): Combine {
  if (base === 'float32') return (x, y) => power(x, Number(y))
  if (exponent !== 'float32') {
    // The low bits of a power are those of the power of the low bits, so that 64 bits serve every integer.
    const narrow = isBigInt(base) ? (z: bigint) => z : (z: bigint) => Number(BigInt.asIntN(32, z))
    return (x, y) => narrow(integerPower(BigInt(x), BigInt(y))) as number
  }
  if (!isBigInt(base)) return (x, y) => Math.trunc(power(x, y))
  return (x, y) => toBigInteger(power(Number(x), y), base) as unknown as number
}

/** The first operand to the power of the second, in the dtype of the first. */
export const pow = defineOperator({
  name: 'Pow',
  inputCount: [2, 2],
  infer({ inputs }) {
    const x = required(inputs, 0)
    const y = required(inputs, 1)
    requireDtype(x.dtype, numericDtypes)
    requireDtype(y.dtype, numericDtypes)
    return [result(x.dtype, broadcastAll([x.dims, y.dims]))]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const y = required(inputs, 1)
    combineElements(required(outputs, 0), x, y, powerOf(x.dtype, y.dtype))
  },
})
