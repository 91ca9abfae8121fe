// SPDX-License-Identifier: Apache-2.0
import type { _FusedMatMulAttrs, TensorInfo } from '@tensorflow/tfjs-core'
import { enumNumber } from '../records/record.ts'
import type { MlcapsuleBackend } from './backend.ts'
import { withFloats } from './cast.ts'
import { binaryInto, unaryInto } from './elementwise.ts'

export interface FusedActivation {
  readonly activation?: _FusedMatMulAttrs['activation'] | undefined
  readonly leakyreluAlpha?: number | undefined
}

interface ActivationFields {
  readonly activation: number
  readonly activationAlpha: number
  readonly activationBeta: number
}

const fields = (
  name: Parameters<typeof enumNumber<'activation'>>[1],
  activationAlpha = 0,
  activationBeta = 0,
): ActivationFields => ({ activation: enumNumber('activation', name), activationAlpha, activationBeta })

/** What a record computes of an activation by itself. */
export function activationFields({ activation, leakyreluAlpha = 0.2 }: FusedActivation): ActivationFields {
  switch (activation) {
    case 'relu':
      return fields('clamp', 0, Number.POSITIVE_INFINITY)
    case 'relu6':
      return fields('clamp', 0, 6)
    case 'sigmoid':
      return fields('sigmoid')
    case 'leakyrelu':
      return fields('leakyrelu', leakyreluAlpha)
    default:
      return fields('none')
  }
}

const known: readonly unknown[] = [
  undefined,
  'linear',
  'relu',
  'relu6',
  'sigmoid',
  'leakyrelu',
  'elu',
  'prelu',
] satisfies readonly FusedActivation['activation'][]

/** What is left of the activation once the record has run: elu, and prelu with its slopes. Refuses unknown ones. */
export function finishActivation(
  backend: MlcapsuleBackend,
  result: TensorInfo,
  { activation }: FusedActivation,
  slopes: TensorInfo | undefined,
): void {
  if (!known.includes(activation)) throw new TypeError(`fused activation ${activation} is not supported`)
  if (activation === 'elu') unaryInto(backend, 'elu', result, result, 1)
  if (activation !== 'prelu') return
  if (slopes === undefined) throw new TypeError('fused activation prelu lacks its slopes')
  withFloats(backend, slopes, (floats) => binaryInto(backend, 'prelu', result, floats, result))
}

/** The whole activation, for a result that no record has activated. */
export function applyActivation(
  backend: MlcapsuleBackend,
  result: TensorInfo,
  fused: FusedActivation,
  slopes: TensorInfo | undefined,
): void {
  const { activation, leakyreluAlpha = 0.2 } = fused
  if (activation === 'relu') unaryInto(backend, 'relu', result, result)
  if (activation === 'relu6') unaryInto(backend, 'clamp', result, result, 0, 6)
  if (activation === 'sigmoid') unaryInto(backend, 'sigmoid', result, result)
  if (activation === 'leakyrelu') unaryInto(backend, 'leakyrelu', result, result, leakyreluAlpha)
  finishActivation(backend, result, fused, slopes)
}
