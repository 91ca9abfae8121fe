// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { affineGrid } from './affine-grid.ts'
import { averagePool, lpPool } from './average-pool.ts'
import { col2Im } from './col2im.ts'
import { conv } from './conv.ts'
import { convTranspose } from './conv-transpose.ts'
import { deformConv } from './deform-conv.ts'
import { globalAveragePool, globalLpPool, globalMaxPool } from './global-pool.ts'
import { gridSample } from './grid-sample.ts'
import { maxPool } from './max-pool.ts'
import { maxRoiPool } from './max-roi-pool.ts'
import { maxUnpool } from './max-unpool.ts'
import { nonMaxSuppression } from './non-max-suppression.ts'
import { convInteger, qLinearConv } from './quantized-conv.ts'
import { resize } from './resize.ts'
import { roiAlign } from './roi-align.ts'

export const windowOperators: readonly Operator[] = [
  conv,
  convTranspose,
  convInteger,
  qLinearConv,
  maxPool,
  averagePool,
  lpPool,
  globalAveragePool,
  globalMaxPool,
  globalLpPool,
  resize,
  affineGrid,
  col2Im,
  deformConv,
  gridSample,
  maxRoiPool,
  maxUnpool,
  nonMaxSuppression,
  roiAlign,
]
