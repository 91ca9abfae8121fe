// SPDX-License-Identifier: Apache-2.0
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from './backend.ts'

export interface KernelCall<Inputs, Attrs> {
  readonly inputs: Inputs
  readonly attrs: Attrs
  readonly backend: MlcapsuleBackend
}

/** tfjs-core declares all named inputs as possibly undefined; those that are not optional are there. */
export type Given<Inputs> = { readonly [Name in keyof Inputs]: Exclude<Inputs[Name], undefined> }

/** What tfjs runs under a name. Its results are new tensors, or shared data; all else that it makes it releases. */
export interface TfjsKernel {
  readonly name: string
  readonly run: (call: KernelCall<unknown, unknown>) => TensorInfo | TensorInfo[]
}

/** Types of inputs and attributes are those that tfjs-core declares beside the kernel's name. */
export function defineKernel<Inputs, Attrs = undefined>(
  name: string,
  run: (call: KernelCall<Given<Inputs>, Attrs>) => TensorInfo | TensorInfo[],
): TfjsKernel {
  return { name, run: run as TfjsKernel['run'] }
}
