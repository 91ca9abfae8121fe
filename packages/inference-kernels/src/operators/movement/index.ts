// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { flatten, identity, squeeze, unsqueeze } from './alias.ts'
import { centerCropPad } from './center-crop-pad.ts'
import { compress } from './compress.ts'
import { concat } from './concat.ts'
import { depthToSpace, spaceToDepth } from './depth-to-space.ts'
import { dropout } from './dropout.ts'
import { expand, tile } from './expand.ts'
import { eyeLike } from './eye-like.ts'
import { gather } from './gather.ts'
import { gatherElements } from './gather-elements.ts'
import { gatherNd } from './gather-nd.ts'
import { nonZero } from './non-zero.ts'
import { oneHot } from './one-hot.ts'
import { pad } from './pad.ts'
import { range } from './range.ts'
import { reshape } from './reshape.ts'
import { reverseSequence } from './reverse-sequence.ts'
import { scatterElements } from './scatter-elements.ts'
import { scatterNd } from './scatter-nd.ts'
import { shape, size } from './shape.ts'
import { slice } from './slice.ts'
import { split } from './split.ts'
import { tensorScatter } from './tensor-scatter.ts'
import { topK } from './top-k.ts'
import { transpose } from './transpose.ts'
import { trilu } from './trilu.ts'
import { unique } from './unique.ts'

export const movementOperators: readonly Operator[] = [
  shape,
  size,
  reshape,
  identity,
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  concat,
  split,
  slice,
  expand,
  tile,
  pad,
  centerCropPad,
  gather,
  gatherElements,
  gatherNd,
  scatterElements,
  scatterNd,
  tensorScatter,
  range,
  eyeLike,
  oneHot,
  nonZero,
  compress,
  unique,
  topK,
  trilu,
  depthToSpace,
  spaceToDepth,
  reverseSequence,
  dropout,
]
