// SPDX-License-Identifier: Apache-2.0
import { importConstant } from '../constants.ts'
import { importOperator } from '../generic.ts'
import {
  importConcat,
  importConstantOfShape,
  importDropout,
  importExpand,
  importFlatten,
  importIdentity,
  importPad,
  importReshape,
  importSqueeze,
  importTile,
  importTranspose,
} from '../movement.ts'
import { importEyeLike, importScatter, importSelection, importTopK } from '../selection.ts'
import { importGather, importSlice, importSplit } from '../slicing.ts'
import { define, type OperatorDefinition } from './define.ts'

export const movementImporters: Readonly<Record<string, OperatorDefinition>> = {
  CenterCropPad: define(importOperator(), '', 18),
  Compress: define(importSelection, '', 9),
  Concat: define(importConcat),
  Constant: define(importConstant, 'tensors of numbers'),
  ConstantOfShape: define(importConstantOfShape, '', 9),
  DepthToSpace: define(importOperator()),
  Dropout: define(importDropout, 'inference'),
  Expand: define(importExpand, '', 8),
  EyeLike: define(importEyeLike, '', 9),
  Flatten: define(importFlatten),
  Gather: define(importGather),
  GatherElements: define(importOperator(), '', 11),
  GatherND: define(importOperator(), '', 11),
  Identity: define(importIdentity),
  NonZero: define(importOperator(), '', 9),
  OneHot: define(importOperator(), '', 9),
  Pad: define(importPad),
  Range: define(importOperator(), '', 11),
  Reshape: define(importReshape),
  ReverseSequence: define(importOperator(), '', 10),
  Scatter: define(importScatter, '', 9),
  ScatterElements: define(importOperator(), '', 11),
  ScatterND: define(importOperator(), '', 11),
  Shape: define(importOperator()),
  Size: define(importOperator()),
  Slice: define(importSlice),
  SpaceToDepth: define(importOperator()),
  Split: define(importSplit),
  Squeeze: define(importSqueeze),
  TensorScatter: define(importOperator(), '', 24),
  Tile: define(importTile),
  TopK: define(importTopK),
  Transpose: define(importTranspose),
  Trilu: define(importOperator(), '', 14),
  Unique: define(importSelection, '', 11),
  Unsqueeze: define(importSqueeze),
}
