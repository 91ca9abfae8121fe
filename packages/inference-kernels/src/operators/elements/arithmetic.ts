// SPDX-License-Identifier: Apache-2.0
import { flag } from '../attributes.ts'
import { badValue, unsupported } from '../fault.ts'
import type { Operator } from '../operator.ts'
import { numericDtypes } from '../support.ts'
import { big, type Combine, defineBinary } from './binary.ts'
import { pow } from './pow.ts'

const byZero = () => badValue('an integer is divided by 0')

const add = defineBinary({
  name: 'Add',
  dtypes: numericDtypes,
  apply: () => ({ float: (x, y) => x + y, integer: (x, y) => x + y, bigint: big((x, y) => x + y) }),
})

const sub = defineBinary({
  name: 'Sub',
  dtypes: numericDtypes,
  apply: () => ({ float: (x, y) => x - y, integer: (x, y) => x - y, bigint: big((x, y) => x - y) }),
})

const mul = defineBinary({
  name: 'Mul',
  dtypes: numericDtypes,
  apply: () => ({ float: (x, y) => x * y, integer: Math.imul, bigint: big((x, y) => x * y) }),
})

const div = defineBinary({
  name: 'Div',
  dtypes: numericDtypes,
  apply: () => ({
    float: (x, y) => x / y,
    integer: (x, y) => (y === 0 ? byZero() : Math.trunc(x / y)),
    bigint: big((x, y) => (y === 0n ? byZero() : x / y)),
  }),
})

/** The remainder has the sign of the dividend, as in C. */
const truncated = {
  float: ((x, y) => x % y) satisfies Combine,
  integer: ((x, y) => (y === 0 ? byZero() : x % y)) satisfies Combine,
  bigint: big((x, y) => (y === 0n ? byZero() : x % y)),
}

/** The remainder has the sign of the divisor, as in Python. */
const floored = {
  float: truncated.float,
  integer: ((x, y) => {
    const rest = truncated.integer(x, y)
    return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
  }) satisfies Combine,
  bigint: big((x, y) => {
    if (y === 0n) return byZero()
    const rest = x % y
    return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest
  }),
}

const mod = defineBinary({
  name: 'Mod',
  attributes: { fmod: flag(false) },
  dtypes: numericDtypes,
  check(dtype, { fmod }) {
    if (dtype === 'float32' && !fmod) unsupported('fmod is 0 for operands that are not integers')
  },
  apply: ({ fmod }) => (fmod ? truncated : floored),
})

export const arithmeticOperators: readonly Operator[] = [add, sub, mul, div, mod, pow]
