// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { activationOperators } from './activations.ts'
import { argExtremeOperators } from './arg-extreme.ts'
import { arithmeticOperators } from './arithmetic.ts'
import { bitOperators } from './bits.ts'
import { cast, castLike } from './cast.ts'
import { clip } from './clip.ts'
import { cumProd, cumSum } from './cumulative.ts'
import { dequantizeLinear } from './dequantize.ts'
import { dynamicQuantizeLinear } from './dynamic-quantize.ts'
import { logicOperators } from './logic.ts'
import { mathOperators } from './math.ts'
import { prelu } from './prelu.ts'
import { quantizeLinear } from './quantize.ts'
import { reduceLogSumExp } from './reduce-log-sum-exp.ts'
import { reductionOperators } from './reductions.ts'
import { softmaxOperators } from './softmax.ts'
import { variadicOperators } from './variadic.ts'
import { where } from './where.ts'

export const elementOperators: readonly Operator[] = [
  ...mathOperators,
  ...activationOperators,
  prelu,
  clip,
  ...arithmeticOperators,
  ...variadicOperators,
  ...bitOperators,
  ...logicOperators,
  where,
  cast,
  castLike,
  quantizeLinear,
  dequantizeLinear,
  dynamicQuantizeLinear,
  ...reductionOperators,
  reduceLogSumExp,
  ...argExtremeOperators,
  cumSum,
  cumProd,
  ...softmaxOperators,
]
