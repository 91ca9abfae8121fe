// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { createSession } from '../engine/create-session.ts'
import { referenceKernels } from '../reference/reference-kernels.ts'
import type { ProgramBuilder } from './program-builder.ts'

/** Runs a hand-built program once, with float32 inputs. @returns its outputs by name */
export async function runProgram(
  builder: ProgramBuilder,
  inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
  options: { readonly kernels?: KernelBackend; readonly symbols?: Readonly<Record<string, number>> } = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const { kernels = referenceKernels, symbols = {} } = options
  const session = await createSession({ ...builder.build(), kernels, symbols })
  try {
    const tensors = Object.entries(inputs).map(([name, { shape, data }]): [string, Tensor] => [
      name,
      { dtype: 'float32', shape, data },
    ])
    return session.run(new Map(tensors))
  } finally {
    session.dispose()
  }
}
