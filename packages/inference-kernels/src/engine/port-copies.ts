// SPDX-License-Identifier: Apache-2.0
import { assertTensor, type DType, type Tensor, type TensorData } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundPort } from '../plan/bound.ts'
import type { TensorViews } from './tensor-views.ts'

/** An input of a program: its dims are numbers, names of symbols, or null where anything goes. */
export interface InputPort {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly (number | string | null)[]
}

const showShape = (dims: readonly (number | string | null)[]) =>
  `[${dims.map((dim) => dim ?? '?').join(', ')}]`

function assertInput(port: InputPort, tensor: Tensor | undefined, sizes: Map<string, number>): void {
  const field = `inputs.${port.name}`
  if (tensor === undefined) {
    throw new KernelError('KERNEL_INPUT_MISSING', `${field}: the model needs this input`, { field })
  }
  if (tensor.dtype !== port.dtype) {
    const detail = `${field}: expected dtype ${port.dtype}, got ${tensor.dtype}`
    throw new KernelError('KERNEL_INPUT_DTYPE_MISMATCH', detail, { field })
  }
  try {
    assertTensor(tensor, field)
  } catch (cause) {
    throw new KernelError('KERNEL_INPUT_INVALID', (cause as Error).message, { field, cause })
  }
  const fits = (dim: number | string | null | undefined, size: number) => {
    if (typeof dim !== 'string') return dim === null || dim === size
    const known = sizes.get(dim) ?? size
    sizes.set(dim, known)
    return known === size
  }
  if (
    tensor.shape.length !== port.dims.length ||
    !tensor.shape.every((size, d) => fits(port.dims[d], size))
  ) {
    const detail = `${field}: expected shape ${showShape(port.dims)}, got ${showShape(tensor.shape)}`
    throw new KernelError('KERNEL_INPUT_SHAPE_MISMATCH', detail, { field })
  }
}

/**
 * Checks that a query has the inputs of a program, and that dimensions of one name have one size.
 * @returns the shape of each, in the order of the ports
 * @throws KernelError `KERNEL_INPUT_*` naming the tensor
 */
export function checkInputs(
  ports: readonly InputPort[],
  inputs: ReadonlyMap<string, Tensor>,
): readonly (readonly number[])[] {
  for (const name of inputs.keys()) {
    if (!ports.some((port) => port.name === name)) {
      const known = ports.map((port) => port.name).join(', ')
      const field = `inputs.${name}`
      throw new KernelError('KERNEL_INPUT_UNKNOWN', `${field}: the model's inputs are: ${known}`, { field })
    }
  }
  const sizes = new Map<string, number>()
  for (const port of ports) assertInput(port, inputs.get(port.name), sizes)
  return ports.map(({ name }) => inputs.get(name)?.shape ?? [])
}

/** Copies checked inputs into memory. @param views of the ports' places, in their order */
export function copyInputs(
  ports: readonly BoundPort[],
  views: TensorViews,
  inputs: ReadonlyMap<string, Tensor>,
  memory: Uint8Array,
): void {
  for (const [i, view] of views.of(memory).entries()) {
    const { data } = inputs.get(ports[i]?.name ?? '') as Tensor
    // Both sides are the typed array of one dtype, which the type of set() cannot say.
    ;(view as Float32Array).set(data as Float32Array)
  }
}

/** Fresh tensors, apart from the kernels' memory. @param views of the ports' places, in their order */
export function copyOutputs(
  ports: readonly BoundPort[],
  views: TensorViews,
  memory: Uint8Array,
): Map<string, Tensor> {
  const data = views.of(memory)
  return new Map(
    ports.map(({ name, dtype, shape }, i) => [
      name,
      { dtype, shape: [...shape], data: data[i]?.slice() as TensorData },
    ]),
  )
}
