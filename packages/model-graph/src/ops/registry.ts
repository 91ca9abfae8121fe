// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import {
  importClip,
  importElu,
  importGelu,
  importHardSigmoid,
  importLeakyRelu,
  importSelu,
  importUnary,
} from './activation.ts'
import { importBinary, importPRelu, importVariadic } from './arithmetic.ts'
import { importCast, importConstant, importConstantOfShape, importShape, importSize } from './constants.ts'
import type { NodeContext } from './context.ts'
import { importConv } from './convolution.ts'
import { importGemm, importMatMul } from './linear.ts'
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
} from './movement.ts'
import { importBatchNormalization, importLayerNormalization, importSoftmax } from './normalization.ts'
import { importAveragePool, importGlobalPool, importMaxPool } from './pooling.ts'
import { importReduce } from './reduction.ts'
import { importGather, importSlice, importSplit } from './slicing.ts'

/** How an operator of ONNX's standard domain comes into our graph. */
export interface OperatorDefinition {
  /** Version of the operator set that brought it, if that is above `minimumOpset`. */
  readonly since: number
  /** What is not supported of it, or how it is done, for the documentation. */
  readonly note: string
  /** Gives one value per output; fewer where the rest is not supported. */
  readonly import: (ctx: NodeContext) => Value | readonly Value[]
}

/** Versions of the standard operator set that are understood. */
export const minimumOpset = 6
export const maximumOpset = 26

const define = (
  importNode: OperatorDefinition['import'],
  note = '',
  since = minimumOpset,
): OperatorDefinition => ({ since, note, import: importNode })

const constantWeights = 'weights constant; one or two spatial dimensions'
const oneOutput = 'first output only'

/** Every supported operator, by its ONNX name. */
export const operators: ReadonlyMap<string, OperatorDefinition> = new Map(
  Object.entries({
    Abs: define(importUnary('abs')),
    Add: define(importBinary('add')),
    AveragePool: define(importAveragePool, 'one or two spatial dimensions'),
    BatchNormalization: define(importBatchNormalization, 'inference, parameters constant'),
    Cast: define(importCast, 'of constants and shapes', 6),
    Ceil: define(importUnary('ceil')),
    Clip: define(importClip, 'bounds constant'),
    Concat: define(importConcat),
    Constant: define(importConstant, 'dense numeric tensors'),
    ConstantOfShape: define(importConstantOfShape, 'shape constant', 9),
    Conv: define(importConv, constantWeights),
    Div: define(importBinary('div')),
    Dropout: define(importDropout, `inference; ${oneOutput}`),
    Elu: define(importElu),
    Erf: define(importUnary('erf'), '', 9),
    Exp: define(importUnary('exp')),
    Expand: define(importExpand, 'shape constant', 8),
    Flatten: define(importFlatten),
    Floor: define(importUnary('floor')),
    Gather: define(importGather, 'indices constant, up to 64'),
    Gelu: define(importGelu, '', 20),
    Gemm: define(importGemm),
    GlobalAveragePool: define(importGlobalPool('average'), 'one or two spatial dimensions'),
    GlobalMaxPool: define(importGlobalPool('max'), 'one or two spatial dimensions'),
    HardSigmoid: define(importHardSigmoid),
    HardSwish: define(importUnary('hardswish'), '', 14),
    Identity: define(importIdentity),
    LayerNormalization: define(importLayerNormalization, oneOutput, 17),
    LeakyRelu: define(importLeakyRelu),
    Log: define(importUnary('log')),
    LogSoftmax: define(importSoftmax('logsoftmax')),
    MatMul: define(importMatMul),
    Max: define(importVariadic('max')),
    MaxPool: define(importMaxPool, `one or two spatial dimensions; ${oneOutput}`),
    Mean: define(importVariadic('add', true)),
    Min: define(importVariadic('min')),
    Mul: define(importBinary('mul')),
    Neg: define(importUnary('neg')),
    Pad: define(importPad, 'mode constant; pads constant'),
    Pow: define(importBinary('pow'), '', 7),
    PRelu: define(importPRelu),
    Reciprocal: define(importUnary('reciprocal')),
    ReduceMean: define(importReduce('mean', 18), 'axes constant'),
    ReduceSum: define(importReduce('sum', 13), 'axes constant'),
    Relu: define(importUnary('relu')),
    Reshape: define(importReshape, 'shape constant, or computed from shapes'),
    Selu: define(importSelu),
    Shape: define(importShape),
    Sigmoid: define(importUnary('sigmoid')),
    Size: define(importSize),
    Slice: define(importSlice, 'bounds constant'),
    Softmax: define(importSoftmax('softmax')),
    Softplus: define(importUnary('softplus')),
    Split: define(importSplit, 'sizes constant'),
    Sqrt: define(importUnary('sqrt')),
    Squeeze: define(importSqueeze, 'axes constant'),
    Sub: define(importBinary('sub')),
    Sum: define(importVariadic('add')),
    Tanh: define(importUnary('tanh')),
    Transpose: define(importTranspose),
    Unsqueeze: define(importUnsqueeze, 'axes constant'),
  }),
)
