// SPDX-License-Identifier: Apache-2.0
// Functions of two elements, broadcast.
import * as tf from '@tensorflow/tfjs-core'
import type { Combine } from '../../operators/elements/binary.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf, withFloats } from '../cast.ts'
import { type BinaryName, binaryInto, binaryRecord, combineTensors } from '../elementwise.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

type Pair = (backend: MlcapsuleBackend, a: tf.TensorInfo, b: tf.TensorInfo) => tf.TensorInfo

/** float32 by a record, integers and bool by a loop. */
const arithmetic =
  (record: BinaryName, whole: Combine): Pair =>
  (backend, a, b) =>
    a.dtype === 'float32' && b.dtype === 'float32'
      ? binaryRecord(backend, record, a, b)
      : combineTensors(backend, a, b, whole)

const add = arithmetic('add', (x, y) => x + y)
const subtract = arithmetic('sub', (x, y) => x - y)
const multiply = arithmetic('mul', Math.imul)

/** Complex operands, a real one beside a complex one too, part by part. */
function onParts(backend: MlcapsuleBackend, a: tf.TensorInfo, b: tf.TensorInfo, each: Pair): tf.TensorInfo {
  const [aReal, aImag] = backend.parts(a)
  const [bReal, bImag] = backend.parts(b)
  return backend.makeComplex(each(backend, aReal, bReal), each(backend, aImag, bImag))
}

function multiplyComplex(backend: MlcapsuleBackend, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const [aReal, aImag] = backend.parts(a)
  const [bReal, bImag] = backend.parts(b)
  const products = [
    multiply(backend, aReal, bReal),
    multiply(backend, aImag, bImag),
    multiply(backend, aReal, bImag),
    multiply(backend, aImag, bReal),
  ] as const
  const real = subtract(backend, products[0], products[1])
  const imag = add(backend, products[2], products[3])
  backend.release(...products)
  return backend.makeComplex(real, imag)
}

const kernel = (name: string, pair: Pair, complex?: Pair) =>
  defineKernel<tf.BinaryInputs>(name, ({ inputs: { a, b }, backend }) =>
    a.dtype === 'complex64' && complex !== undefined ? complex(backend, a, b) : pair(backend, a, b),
  )

const loop = (name: string, two: Combine, dtype?: tf.DataType) =>
  kernel(name, (backend, a, b) => combineTensors(backend, a, b, two, dtype))

/** Numbers or strings that are compared as their JavaScript values are. */
const compare = (name: string, isTrue: (x: number, y: number) => boolean) =>
  loop(name, (x, y) => (isTrue(x, y) ? 1 : 0), 'bool')

const squaredDifference: Pair = (backend, a, b) => {
  if (a.dtype !== 'float32') return combineTensors(backend, a, b, (x, y) => (x - y) * (x - y))
  const difference = subtract(backend, a, b)
  binaryInto(backend, 'mul', difference, difference, difference)
  return difference
}

/** As in Python, the remainder has the sign of the divisor. */
const floorMod: Combine = (x, y) => {
  const rest = x % y
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
}

const prelu = defineKernel<tf.PreluInputs>(tf.Prelu, ({ inputs: { x, alpha }, backend }) =>
  withFloats(backend, x, (floats) =>
    withFloats(backend, alpha, (slopes) => binaryRecord(backend, 'prelu', floats, slopes)),
  ),
)

const addN = defineKernel<readonly tf.TensorInfo[]>(tf.AddN, ({ inputs, backend }) => {
  const [first, ...rest] = inputs as readonly [tf.TensorInfo, ...tf.TensorInfo[]]
  let sum = backend.share(first, first.shape)
  for (const each of rest) {
    const next = add(backend, sum, each)
    backend.release(sum)
    sum = next
  }
  return sum
})

const complexAbs = defineKernel<tf.ComplexAbsInputs>(tf.ComplexAbs, ({ inputs: { x }, backend }) => {
  const [real, imag] = backend.parts(x)
  return combineTensors(backend, real, imag, Math.hypot)
})

const bitwiseAnd = defineKernel<tf.BitwiseAndInputs>(tf.BitwiseAnd, ({ inputs: { a, b }, backend }) => {
  if (countOf(a) !== countOf(b)) throw new TypeError('BitwiseAnd does not broadcast')
  return combineTensors(backend, a, b, (x, y) => x & y)
})

export const pairKernels: readonly TfjsKernel[] = [
  kernel(tf.Add, add, (backend, a, b) => onParts(backend, a, b, add)),
  kernel(tf.Sub, subtract, (backend, a, b) => onParts(backend, a, b, subtract)),
  kernel(tf.Multiply, multiply, multiplyComplex),
  kernel(
    tf.RealDiv,
    arithmetic('div', (x, y) => x / y),
  ),
  kernel(tf.Maximum, arithmetic('max', Math.max)),
  kernel(tf.Minimum, arithmetic('min', Math.min)),
  kernel(tf.Pow, arithmetic('pow', Math.pow)),
  kernel(tf.SquaredDifference, squaredDifference),
  loop(tf.FloorDiv, (x, y) => Math.floor(x / y), 'int32'),
  loop(tf.Mod, floorMod),
  loop(tf.Atan2, Math.atan2),
  compare(tf.Equal, (x, y) => x === y),
  compare(tf.NotEqual, (x, y) => x !== y),
  compare(tf.Less, (x, y) => x < y),
  compare(tf.LessEqual, (x, y) => x <= y),
  compare(tf.Greater, (x, y) => x > y),
  compare(tf.GreaterEqual, (x, y) => x >= y),
  compare(tf.LogicalAnd, (x, y) => x !== 0 && y !== 0),
  compare(tf.LogicalOr, (x, y) => x !== 0 || y !== 0),
  compare(tf.LogicalXor, (x, y) => (x !== 0) !== (y !== 0)),
  prelu,
  addN,
  complexAbs,
  bitwiseAnd,
]
