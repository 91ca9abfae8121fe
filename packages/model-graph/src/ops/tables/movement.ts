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
import { importGather, importSlice, importSplit } from '../slicing.ts'
import { define, type OperatorDefinition } from './define.ts'

export const movementImporters: Readonly<Record<string, OperatorDefinition>> = {
  Concat: define(importConcat),
  Constant: define(importConstant, 'dense numeric tensors'),
  ConstantOfShape: define(importConstantOfShape, '', 9),
  Dropout: define(importDropout, 'inference'),
  Expand: define(importExpand, '', 8),
  Flatten: define(importFlatten),
  Gather: define(importGather),
  Identity: define(importIdentity),
  Pad: define(importPad),
  Range: define(importOperator(), '', 11),
  Reshape: define(importReshape),
  Shape: define(importOperator()),
  Size: define(importOperator()),
  Slice: define(importSlice),
  Split: define(importSplit),
  Squeeze: define(importSqueeze),
  Tile: define(importTile),
  Transpose: define(importTranspose),
  Unsqueeze: define(importSqueeze),
}
