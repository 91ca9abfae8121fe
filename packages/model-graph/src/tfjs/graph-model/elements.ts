// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { leakyRelu, relu6 } from '../activations.ts'
import type { TfImporter, TfOp, TfTable } from './op.ts'

/** An operator that ONNX has too, of the first `count` inputs. */
const as =
  (opType: string, count: number): TfImporter =>
  (op) =>
    op.call(
      opType,
      Array.from({ length: count }, (_, i) => op.input(i)),
    )

const unary = (opType: string) => as(opType, 1)
const binary = (opType: string) => as(opType, 2)

const square = (op: TfOp, x: Value) => op.call('Mul', [x, x])
const isFloat = (value: Value) => value.dtype === 'float32'

function divNoNan(op: TfOp): Value {
  const zero = op.scalar(0, op.input(1).dtype)
  const isZero = op.call('Equal', [op.input(1), zero])
  return op.call('Where', [isZero, zero, op.call('Div', [op.input(0), op.input(1)])])
}

/** The remainder has the sign of the divisor. */
function floorMod(op: TfOp, a: Value, b: Value): Value {
  if (!isFloat(a)) return op.call('Mod', [a, b])
  const remainder = op.call('Mod', [a, b], { fmod: 1 })
  const isNegative = (value: Value) => op.call('Less', [value, op.scalar(0)])
  const differs = op.call('Xor', [isNegative(remainder), isNegative(b)])
  const isZero = op.call('Equal', [remainder, op.scalar(0)])
  const moves = op.call('And', [differs, op.call('Not', [isZero])])
  return op.call('Where', [moves, op.call('Add', [remainder, b]), remainder])
}

function floorDiv(op: TfOp): Value {
  const [a, b] = [op.input(0), op.input(1)]
  if (isFloat(a)) return op.call('Floor', [op.call('Div', [a, b])])
  // One less than the quotient where the remainder of truncation is not that of rounding down. `a - Mod(a, b)` could overflow.
  const quotient = op.call('Div', [a, b])
  const remainder = op.call('Sub', [a, op.call('Mul', [quotient, b])])
  const isWhole = op.call('Equal', [remainder, op.call('Mod', [a, b])])
  return op.call('Sub', [quotient, op.cast(op.call('Not', [isWhole]), a.dtype)])
}

/** TensorFlow.js rounds quotients of integers down. */
function realDiv(op: TfOp): Value {
  const [a, b] = [op.input(0), op.input(1)]
  return isFloat(a) ? op.call('Div', [a, b]) : floorDiv(op)
}

function biasAdd(op: TfOp, x: Value, bias: Value, format: 'NHWC' | 'NCHW'): Value {
  const trailing = format === 'NCHW' ? x.dims.length - 2 : 0
  const along = trailing > 0 ? op.reshape(bias, [-1, ...new Array<number>(trailing).fill(1)]) : bias
  return op.call('Add', [x, along])
}

/** A condition of one dimension chooses whole rows. */
function select(op: TfOp): Value {
  const [condition, x, y] = [op.input(0), op.input(1), op.input(2)]
  const missing = x.dims.length - condition.dims.length
  const isRows = op.op === 'Select' && condition.dims.length === 1 && missing > 0
  const ranked = isRows ? op.reshape(condition, [-1, ...new Array<number>(missing).fill(1)]) : condition
  return op.call('Where', [op.cast(ranked, 'bool'), x, y])
}

function finiteness(op: TfOp): Value {
  const x = op.input(0)
  return op.call('Not', [op.call('Or', [op.call('IsNaN', [x]), op.call('IsInf', [x])])])
}

/** Functions of each element. */
export const elementOps: TfTable = {
  Abs: unary('Abs'),
  Acos: unary('Acos'),
  Acosh: unary('Acosh'),
  Add: binary('Add'),
  AddN: (op) => op.call('Sum', op.inputs),
  AddV2: binary('Add'),
  Asin: unary('Asin'),
  Asinh: unary('Asinh'),
  Atan: unary('Atan'),
  Atanh: unary('Atanh'),
  BiasAdd: (op) => biasAdd(op, op.input(0), op.input(1), op.format()),
  BitwiseAnd: binary('BitwiseAnd'),
  Cast: (op) => op.cast(op.input(0), op.attributes.dtype('DstT', 'float32')),
  Ceil: unary('Ceil'),
  ClipByValue: as('Clip', 3),
  Cos: unary('Cos'),
  Cosh: unary('Cosh'),
  Div: realDiv,
  DivNoNan: divNoNan,
  Elu: unary('Elu'),
  Equal: binary('Equal'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Expm1: (op) => op.call('Sub', [op.call('Exp', [op.input(0)]), op.scalar(1)]),
  Floor: unary('Floor'),
  FloorDiv: floorDiv,
  FloorMod: (op) => floorMod(op, op.input(0), op.input(1)),
  Greater: binary('Greater'),
  GreaterEqual: binary('GreaterOrEqual'),
  IsFinite: finiteness,
  IsInf: unary('IsInf'),
  IsNan: unary('IsNaN'),
  LeakyRelu: (op) => leakyRelu(op, op.input(0), op.attributes.float('alpha', 0.2)),
  Less: binary('Less'),
  LessEqual: binary('LessOrEqual'),
  Log: unary('Log'),
  Log1p: (op) => op.call('Log', [op.call('Add', [op.input(0), op.scalar(1)])]),
  LogSoftmax: (op) => op.call('LogSoftmax', [op.input(0)], { axis: -1 }),
  LogicalAnd: binary('And'),
  LogicalNot: unary('Not'),
  LogicalOr: binary('Or'),
  LogicalXor: binary('Xor'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Mod: (op) => floorMod(op, op.input(0), op.input(1)),
  Mul: binary('Mul'),
  Neg: unary('Neg'),
  NotEqual: (op) => op.call('Not', [op.call('Equal', [op.input(0), op.input(1)])]),
  Pow: binary('Pow'),
  Prelu: binary('PRelu'),
  RealDiv: realDiv,
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Relu6: (op) => relu6(op, op.input(0)),
  Round: unary('Round'),
  Rsqrt: (op) => op.call('Reciprocal', [op.call('Sqrt', [op.input(0)])]),
  Select: select,
  SelectV2: select,
  Selu: unary('Selu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Sinh: unary('Sinh'),
  Softmax: (op) => op.call('Softmax', [op.input(0)], { axis: -1 }),
  Softplus: unary('Softplus'),
  Softsign: unary('Softsign'),
  Sqrt: unary('Sqrt'),
  Square: (op) => square(op, op.input(0)),
  SquaredDifference: (op) => square(op, op.call('Sub', [op.input(0), op.input(1)])),
  Sub: binary('Sub'),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
}
