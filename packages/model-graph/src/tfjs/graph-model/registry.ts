// SPDX-License-Identifier: Apache-2.0
import { creationOps } from './creation.ts'
import { elementOps } from './elements.ts'
import { movementOps } from './movement.ts'
import type { TfImporter } from './op.ts'
import { productOps } from './products.ts'
import { reductionOps } from './reductions.ts'
import { windowOps } from './windows.ts'

/** Every operator of TensorFlow that is supported in a graph-model, besides Const and Placeholder. */
export const tfOperators: ReadonlyMap<string, TfImporter> = new Map(
  Object.entries({
    ...creationOps,
    ...elementOps,
    ...movementOps,
    ...productOps,
    ...reductionOps,
    ...windowOps,
  }).sort(([a], [b]) => (a < b ? -1 : 1)),
)

const refusals: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /^(Switch|Merge|Enter|Exit|NextIteration|LoopCond|While|StatelessWhile|If|StatelessIf)$/,
    'control flow is not supported: export the model without loops and branches',
  ],
  [
    /^Tensor(List|Array)|^EmptyTensorList/,
    'lists of tensors are not supported: export the model without loops',
  ],
  [/FFT|^Complex|^Real$|^Imag$/, 'complex numbers are not supported'],
  [/^String|^HashTable|^LookupTable/, 'text and tables are not supported'],
  [/^Random|^TruncatedNormal$|^Multinomial$/, 'random numbers are not supported'],
]

/** Why an operator is not supported. */
export function refusalOf(op: string): string {
  return refusals.find(([pattern]) => pattern.test(op))?.[1] ?? 'the operator is not supported'
}
