// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import type { Operator } from '../operator.ts'
import { computedDtypes, numericDtypes } from '../support.ts'
import { big, type Combine, defineBinary } from './binary.ts'
import { defineUnary } from './unary.ts'

const compare = (name: string, number: Combine, bigint: Combine, dtypes: readonly DType[] = numericDtypes) =>
  defineBinary({
    name,
    dtypes,
    resultDtype: 'bool',
    apply: () => ({ float: number, integer: number, bigint }),
  })

const connect = (name: string, combine: Combine) =>
  defineBinary({
    name,
    dtypes: ['bool'],
    apply: () => ({ float: combine, integer: combine, bigint: combine }),
  })

/** Comparisons, whose result is bool, and connectives of bool. */
export const logicOperators: readonly Operator[] = [
  compare(
    'Equal',
    (x, y) => (x === y ? 1 : 0),
    big((x, y) => (x === y ? 1 : 0)),
    computedDtypes,
  ),
  compare(
    'Less',
    (x, y) => (x < y ? 1 : 0),
    big((x, y) => (x < y ? 1 : 0)),
  ),
  compare(
    'LessOrEqual',
    (x, y) => (x <= y ? 1 : 0),
    big((x, y) => (x <= y ? 1 : 0)),
  ),
  compare(
    'Greater',
    (x, y) => (x > y ? 1 : 0),
    big((x, y) => (x > y ? 1 : 0)),
  ),
  compare(
    'GreaterOrEqual',
    (x, y) => (x >= y ? 1 : 0),
    big((x, y) => (x >= y ? 1 : 0)),
  ),
  connect('And', (x, y) => (x !== 0 && y !== 0 ? 1 : 0)),
  connect('Or', (x, y) => (x !== 0 || y !== 0 ? 1 : 0)),
  connect('Xor', (x, y) => ((x !== 0) === (y !== 0) ? 0 : 1)),
  defineUnary({ name: 'Not', dtypes: ['bool'], apply: () => (x) => (x === 0 ? 1 : 0) }),
]
