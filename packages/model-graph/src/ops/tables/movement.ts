// SPDX-License-Identifier: Apache-2.0
import { importConstant, importConstantOfShape } from '../constants.ts'
import { importOperator } from '../generic.ts'
import {
  importConcat,
  importDropout,
  importExpand,
  importFlatten,
  importIdentity,
  importPad,
  importReshape,
  importSqueeze,
  importTranspose,
  importUnsqueeze,
} from '../movement.ts'
import { importGather, importSlice, importSplit } from '../slicing.ts'
import { define, type OperatorDefinition } from './define.ts'

const oneOutput = 'first output only'
export const movementImporters: Readonly<Record<string, OperatorDefinition>> = {
  Concat: define(importConcat),
  Constant: define(importConstant, 'dense numeric tensors'),
  ConstantOfShape: define(importConstantOfShape, 'shape constant', 9),
  Dropout: define(importDropout, `inference; ${oneOutput}`),
  Expand: define(importExpand, 'shape constant', 8),
  Flatten: define(importFlatten),
  Gather: define(importGather, 'indices constant, up to 64'),
  Identity: define(importIdentity),
  Pad: define(importPad, 'mode constant; pads constant'),
  Reshape: define(importReshape, 'shape constant, or computed from shapes'),
  Shape: define(importOperator()),
  Size: define(importOperator()),
  Slice: define(importSlice, 'bounds constant'),
  Split: define(importSplit, 'sizes constant'),
  Squeeze: define(importSqueeze, 'axes constant'),
  Transpose: define(importTranspose),
  Unsqueeze: define(importUnsqueeze, 'axes constant'),
}
