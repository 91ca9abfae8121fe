// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { flatten, identity, squeeze, unsqueeze } from './alias.ts'
import { concat } from './concat.ts'
import { expand, tile } from './expand.ts'
import { gather } from './gather.ts'
import { pad } from './pad.ts'
import { range } from './range.ts'
import { reshape } from './reshape.ts'
import { shape, size } from './shape.ts'
import { slice } from './slice.ts'
import { split } from './split.ts'
import { transpose } from './transpose.ts'

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
  gather,
  range,
  pad,
]
