// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { DType, Tensor } from '@mlcapsule/contracts'
import { repository } from '../support/shared.ts'
import type { FuzzGraph } from './fuzz-graph.ts'

/** A runtime that is not ours. */
export interface Peer {
  readonly name: string
  /** @returns the outputs in order @throws what it says of a model or a query that it does not take */
  run(bytes: Uint8Array, graph: FuzzGraph): Promise<readonly Tensor[]>
}

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

const sessionOptions = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 }

/** onnxruntime-node of bench/peers; null where it is not installed. */
export function loadPeer(): Peer | null {
  const folder = join(repository, 'bench', 'peers')
  if (!existsSync(join(folder, 'node_modules', 'onnxruntime-node'))) return null
  const load = createRequire(join(folder, 'package.json'))
  const runtime = load('onnxruntime-node') as PeerModule
  return {
    name: 'onnxruntime',
    async run(bytes, { inputs, outputs }) {
      const session = await runtime.InferenceSession.create(bytes, sessionOptions)
      try {
        const feeds = inputs.map(({ name, tensor: { dtype, data, shape } }) => [
          name,
          new runtime.Tensor(dtype, data, shape),
        ])
        const answer = await session.run(Object.fromEntries(feeds) as Record<string, PeerTensor>)
        return outputs.map(({ name }) => {
          const { type, dims, data } = answer[name] as PeerTensor
          return { dtype: type as DType, shape: [...dims], data }
        })
      } finally {
        await session.release()
      }
    },
  }
}
