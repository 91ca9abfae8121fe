// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { nativeKernels } from '@mlcapsule/inference-kernels/native'
import { nodeThreads } from '@mlcapsule/inference-kernels/threads/node'
import { createWasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { compileGraph, importOnnx, memoryModelSource, type WeightsStorage } from '@mlcapsule/model-graph'
import { onnxOf } from '../forms/onnx-of.ts'
import type { Network } from '../networks/network.ts'
import type { Engine, LoadedEngine } from './engine.ts'

async function load(
  kernels: KernelBackend,
  network: Network,
  threadCount: number,
  storage: WeightsStorage = 'f32',
): Promise<LoadedEngine> {
  const { program, weights, inputs, outputs } = await compileGraph(
    await importOnnx(memoryModelSource(await onnxOf(network))),
    { weights: storage },
  )
  const chunks = weights.chunks()[Symbol.asyncIterator]()
  const session = await createSession({
    kernels,
    program,
    threadCount,
    weights: {
      sizeBytes: weights.sizeBytes,
      async readInto(offsetBytes, target) {
        const next = await chunks.next()
        if (next.done || next.value.length !== target.length) throw new Error(`no chunk at ${offsetBytes}`)
        target.set(next.value)
      },
    },
  })
  const [input, output] = [inputs[0]?.name as string, outputs[0]?.name as string]
  return {
    arrange: (data) => data,
    run: (data) => {
      const tensor: Tensor = { dtype: 'float32', shape: network.inputDims, data }
      return session.run(new Map([[input, tensor]])).get(output)?.data as Float32Array
    },
    memorySizeBytes: Object.values(session.memoryReport).reduce((sum, sizeBytes) => sum + sizeBytes, 0),
    close: () => session.dispose(),
  }
}

export const native: Engine = {
  name: 'mlcapsule native',
  maxThreadCount: 64,
  load: (network, threadCount) => load(nativeKernels, network, threadCount),
}

const wasmKernels = createWasmKernels({ startThread: nodeThreads() })

/** The same with weights kept smaller. */
const compact = (kernels: KernelBackend, name: string, storage: WeightsStorage): Engine => ({
  name: `mlcapsule ${name}, ${storage} weights`,
  maxThreadCount: 64,
  isApproximate: true,
  load: (network, threadCount) => load(kernels, network, threadCount, storage),
})

export const nativeF16 = compact(nativeKernels, 'native', 'f16')
export const nativeInt8 = compact(nativeKernels, 'native', 'int8')
export const wasmF16 = compact(wasmKernels, 'wasm', 'f16')
export const wasmInt8 = compact(wasmKernels, 'wasm', 'int8')

export const wasm: Engine = {
  name: 'mlcapsule wasm',
  maxThreadCount: 64,
  load: (network, threadCount) => load(wasmKernels, network, threadCount),
}
