// SPDX-License-Identifier: Apache-2.0
// Runs graphs on onnxruntime-node in a process of its own, which may die of a graph.
import { createRequire } from 'node:module'
import type { Tensor } from '@mlcapsule/contracts'
import type { PeerAnswer, PeerQuery } from './peer.ts'

/** As much of onnxruntime-node as is used here: it is not installed by default, so its own types may be absent. */
interface PeerTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: Tensor['data']
}
interface PeerSession {
  run(feeds: Readonly<Record<string, PeerTensor>>): Promise<Readonly<Record<string, PeerTensor>>>
  release(): Promise<void>
}
interface PeerModule {
  readonly Tensor: new (type: string, data: Tensor['data'], dims: readonly number[]) => PeerTensor
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<PeerSession>
  }
}

const load = createRequire(process.argv[2] as string)
const runtime = load('onnxruntime-node') as PeerModule
const sessionOptions = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 }

async function answer({ bytes, inputs, outputs, optimizes }: PeerQuery): Promise<readonly Tensor[]> {
  const graphOptimizationLevel = optimizes ? 'all' : 'disabled'
  const session = await runtime.InferenceSession.create(bytes, { ...sessionOptions, graphOptimizationLevel })
  try {
    const feeds = inputs.map(([name, { dtype, data, shape }]) => [
      name,
      new runtime.Tensor(dtype, data, shape),
    ])
    const answers = await session.run(Object.fromEntries(feeds) as Record<string, PeerTensor>)
    return outputs.map((name) => {
      const { type, dims, data } = answers[name] as PeerTensor
      return { dtype: type as Tensor['dtype'], shape: [...dims], data }
    })
  } finally {
    await session.release()
  }
}

process.on('message', (query: PeerQuery) => {
  answer(query)
    .then((tensors): PeerAnswer => ({ tensors }))
    .catch((error: Error): PeerAnswer => ({ refusal: error.message }))
    .then((it) => process.send?.(it))
})
