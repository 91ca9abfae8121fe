// SPDX-License-Identifier: Apache-2.0
import {
  importClip,
  importElu,
  importGelu,
  importHardSigmoid,
  importLeakyRelu,
  importSelu,
  importUnary,
} from '../activation.ts'
import { importBinary, importPRelu, importVariadic } from '../arithmetic.ts'
import { importCast } from '../constants.ts'
import { importSoftmax } from '../normalization.ts'
import { importReduce } from '../reduction.ts'
import { define, type OperatorDefinition } from './define.ts'

export const elementImporters: Readonly<Record<string, OperatorDefinition>> = {
  Abs: define(importUnary('abs')),
  Add: define(importBinary('add')),
  Cast: define(importCast, 'of constants and shapes', 6),
  Ceil: define(importUnary('ceil')),
  Clip: define(importClip, 'bounds constant'),
  Div: define(importBinary('div')),
  Elu: define(importElu),
  Erf: define(importUnary('erf'), '', 9),
  Exp: define(importUnary('exp')),
  Floor: define(importUnary('floor')),
  Gelu: define(importGelu, '', 20),
  HardSigmoid: define(importHardSigmoid),
  HardSwish: define(importUnary('hardswish'), '', 14),
  LeakyRelu: define(importLeakyRelu),
  Log: define(importUnary('log')),
  LogSoftmax: define(importSoftmax('logsoftmax')),
  Max: define(importVariadic('max')),
  Mean: define(importVariadic('add', true)),
  Min: define(importVariadic('min')),
  Mul: define(importBinary('mul')),
  Neg: define(importUnary('neg')),
  Pow: define(importBinary('pow'), '', 7),
  PRelu: define(importPRelu),
  Reciprocal: define(importUnary('reciprocal')),
  ReduceMean: define(importReduce('mean', 18), 'axes constant'),
  ReduceSum: define(importReduce('sum', 13), 'axes constant'),
  Relu: define(importUnary('relu')),
  Selu: define(importSelu),
  Sigmoid: define(importUnary('sigmoid')),
  Softmax: define(importSoftmax('softmax')),
  Softplus: define(importUnary('softplus')),
  Sqrt: define(importUnary('sqrt')),
  Sub: define(importBinary('sub')),
  Sum: define(importVariadic('add')),
  Tanh: define(importUnary('tanh')),
}
