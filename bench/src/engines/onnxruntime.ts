// SPDX-License-Identifier: Apache-2.0
import { onnxOf } from '../forms/onnx-of.ts'
import type { Network } from '../networks/network.ts'
import type { Engine, LoadedEngine } from './engine.ts'
import { loadPeer } from './peer-modules.ts'

/** As much of onnxruntime-common as is used here: it is not installed by default, so its own types may be absent. */
interface PeerTensor {
  readonly data: Float32Array
}
interface PeerSession {
  run(feeds: Readonly<Record<string, PeerTensor>>): Promise<Readonly<Record<string, PeerTensor>>>
  release(): Promise<void>
}
interface PeerModule {
  readonly env: { readonly wasm?: { numThreads?: number } }
  readonly Tensor: new (type: string, data: Float32Array, dims: readonly number[]) => PeerTensor
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<PeerSession>
  }
}

async function load(
  runtime: PeerModule,
  network: Network,
  options: Readonly<Record<string, unknown>>,
): Promise<LoadedEngine> {
  const session = await runtime.InferenceSession.create(await onnxOf(network), {
    logSeverityLevel: 3,
    graphOptimizationLevel: 'all',
    ...options,
  })
  return {
    arrange: (data) => data,
    run: async (data) => {
      const results = await session.run({ input: new runtime.Tensor('float32', data, network.inputDims) })
      return results[network.output]?.data as Float32Array
    },
    memorySizeBytes: null,
    close: () => session.release(),
  }
}

export const onnxruntimeNode: Engine = {
  name: 'onnxruntime-node',
  maxThreadCount: 64,
  load: async (network, threadCount) =>
    load(await loadPeer<PeerModule>('onnxruntime-node'), network, {
      intraOpNumThreads: threadCount,
      interOpNumThreads: 1,
      executionMode: 'sequential',
    }),
}

export const onnxruntimeWeb: Engine = {
  name: 'onnxruntime-web',
  maxThreadCount: 64,
  async load(network, threadCount) {
    const runtime = await loadPeer<PeerModule>('onnxruntime-web')
    if (runtime.env.wasm !== undefined) runtime.env.wasm.numThreads = threadCount
    return load(runtime, network, { executionProviders: ['wasm'] })
  },
}
