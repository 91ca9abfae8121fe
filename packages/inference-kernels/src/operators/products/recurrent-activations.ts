// SPDX-License-Identifier: Apache-2.0
import { mismatch, unsupported } from '../fault.ts'

/** Functions that LSTM, GRU and RNN take; a program names them by their place here. */
export const recurrentActivations = [
  'Relu',
  'Tanh',
  'Sigmoid',
  'Affine',
  'LeakyRelu',
  'ThresholdedRelu',
  'ScaledTanh',
  'HardSigmoid',
  'Elu',
  'Softsign',
  'Softplus',
] as const

type Name = (typeof recurrentActivations)[number]

export interface RecurrentActivation {
  readonly name: Name
  readonly alpha: number
  readonly beta: number
}

/**
 * Parameters that a function has, by default. Where ONNX leaves the default open or runtimes do not follow it, there is none.
 */
const defaults: Readonly<Partial<Record<Name, readonly [alpha: number | null, beta?: number | null]>>> = {
  Affine: [null, null],
  LeakyRelu: [0.01],
  ThresholdedRelu: [null],
  ScaledTanh: [null, null],
  HardSigmoid: [0.2, 0.5],
  Elu: [1],
}

/**
 * Functions with their parameters, which the lists `alphas` and `betas` hold for those functions alone that have them.
 * @param usual for one direction, if none are given
 */
export function readActivations(
  given: readonly number[],
  alphas: readonly number[],
  betas: readonly number[],
  usual: readonly Name[],
  directionCount: number,
): RecurrentActivation[] {
  const names =
    given.length === 0
      ? Array.from({ length: directionCount }, () => usual).flat()
      : given.map((it) => recurrentActivations[it] ?? mismatch(`there is no activation ${it}`))
  if (names.length !== usual.length * directionCount)
    mismatch(`${names.length} activations, expected ${usual.length * directionCount}`)
  let nextAlpha = 0
  let nextBeta = 0
  return names.map((name) => {
    const [alpha, beta] = defaults[name] ?? []
    return {
      name,
      alpha: alpha === undefined ? 0 : (alphas[nextAlpha++] ?? alpha ?? withoutParameter(name)),
      beta: beta === undefined ? 0 : (betas[nextBeta++] ?? beta ?? withoutParameter(name)),
    }
  })
}

function withoutParameter(name: Name): never {
  unsupported(`${name} without its parameters`)
}

/** Applies a function in place to the elements from `from` up to `to`. */
export function activate(
  { name, alpha, beta }: RecurrentActivation,
  x: Float32Array,
  from: number,
  to: number,
): void {
  switch (name) {
    case 'Sigmoid':
      for (let i = from; i < to; i++) x[i] = 1 / (1 + Math.exp(-(x[i] as number)))
      return
    case 'Tanh':
      for (let i = from; i < to; i++) x[i] = Math.tanh(x[i] as number)
      return
    case 'Relu':
      for (let i = from; i < to; i++) x[i] = Math.max(x[i] as number, 0)
      return
    case 'Affine':
      for (let i = from; i < to; i++) x[i] = alpha * (x[i] as number) + beta
      return
    case 'LeakyRelu':
      for (let i = from; i < to; i++) if ((x[i] as number) < 0) x[i] = alpha * (x[i] as number)
      return
    case 'ThresholdedRelu':
      for (let i = from; i < to; i++) if ((x[i] as number) <= alpha) x[i] = 0
      return
    case 'ScaledTanh':
      for (let i = from; i < to; i++) x[i] = alpha * Math.tanh(beta * (x[i] as number))
      return
    case 'HardSigmoid':
      for (let i = from; i < to; i++) x[i] = Math.min(Math.max(alpha * (x[i] as number) + beta, 0), 1)
      return
    case 'Elu':
      for (let i = from; i < to; i++) if ((x[i] as number) < 0) x[i] = alpha * Math.expm1(x[i] as number)
      return
    case 'Softsign':
      for (let i = from; i < to; i++) x[i] = (x[i] as number) / (1 + Math.abs(x[i] as number))
      return
    case 'Softplus':
      for (let i = from; i < to; i++) {
        const value = x[i] as number
        x[i] = Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)))
      }
  }
}

/** Bounds elements in place to -bound … bound; a bound of 0 is none. */
export function clip(bound: number, x: Float32Array, from: number, to: number): void {
  if (bound === 0) return
  for (let i = from; i < to; i++) {
    const value = x[i] as number
    if (value > bound) x[i] = bound
    else if (value < -bound) x[i] = -bound
  }
}
