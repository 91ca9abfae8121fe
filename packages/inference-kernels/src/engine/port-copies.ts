// SPDX-License-Identifier: Apache-2.0
import {
  assertTensor,
  elementSizeBytes,
  type Tensor,
  type TensorData,
  viewTensorData,
} from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundPort } from '../plan/plan-program.ts'

/** An input or output with its view of the kernels' memory, made once. */
export interface PortView {
  readonly port: BoundPort
  readonly view: TensorData
}

export function viewPorts(ports: readonly BoundPort[], memory: Uint8Array): readonly PortView[] {
  return ports.map((port) => {
    const count = port.sizeBytes / elementSizeBytes(port.dtype)
    return {
      port,
      view: viewTensorData(port.dtype, memory.buffer, memory.byteOffset + port.addressBytes, count),
    }
  })
}

function assertInput(port: BoundPort, tensor: Tensor | undefined): asserts tensor is Tensor {
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
  const isShape =
    tensor.shape.length === port.shape.length && tensor.shape.every((dim, d) => dim === port.shape[d])
  if (!isShape) {
    const detail = `${field}: expected shape [${port.shape.join(', ')}], got [${tensor.shape.join(', ')}]`
    throw new KernelError('KERNEL_INPUT_SHAPE_MISMATCH', detail, { field })
  }
}

/** Checks all inputs before the first is copied. @throws KernelError `KERNEL_INPUT_*` naming the tensor */
export function copyInputs(ports: readonly PortView[], inputs: ReadonlyMap<string, Tensor>): void {
  for (const name of inputs.keys()) {
    if (!ports.some(({ port }) => port.name === name)) {
      const known = ports.map(({ port }) => port.name).join(', ')
      const field = `inputs.${name}`
      throw new KernelError('KERNEL_INPUT_UNKNOWN', `${field}: the model's inputs are: ${known}`, { field })
    }
  }
  for (const { port } of ports) assertInput(port, inputs.get(port.name))
  for (const { port, view } of ports) {
    const { data } = inputs.get(port.name) as Tensor
    // Both sides are the typed array of one dtype, which the type of set() cannot say.
    ;(view as Float32Array).set(data as Float32Array)
  }
}

/** Fresh tensors, apart from the kernels' memory. */
export function copyOutputs(ports: readonly PortView[]): Map<string, Tensor> {
  return new Map(
    ports.map(({ port, view }) => [
      port.name,
      { dtype: port.dtype, shape: [...port.shape], data: view.slice() as TensorData },
    ]),
  )
}
