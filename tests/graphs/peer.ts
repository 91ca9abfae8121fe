// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { repository } from '../support/shared.ts'
import type { FuzzGraph } from './fuzz-graph.ts'

/** A runtime that is not ours. */
export interface Peer {
  readonly name: string
  /**
   * @param optimizes whether it may rewrite the graph, as it does by default
   * @returns the outputs in order
   * @throws what it says of a model or a query that it does not take
   */
  run(bytes: Uint8Array, graph: FuzzGraph, optimizes?: boolean): Promise<readonly Tensor[]>
  close(): void
}

export interface PeerQuery {
  readonly bytes: Uint8Array
  readonly inputs: readonly (readonly [name: string, tensor: Tensor])[]
  readonly outputs: readonly string[]
  readonly optimizes: boolean
}

export type PeerAnswer = { readonly tensors: readonly Tensor[] } | { readonly refusal: string }

function ask(child: ChildProcess, query: PeerQuery): Promise<PeerAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: PeerAnswer) => {
      child.off('message', settle).off('exit', onExit)
      resolve(answer)
    }
    const onExit = () => settle({ refusal: 'it died' })
    child.on('message', settle).on('exit', onExit)
    child.send(query)
  })
}

/** onnxruntime-node of bench/peers, in a process of its own; null where it is not installed. */
export function loadPeer(): Peer | null {
  const folder = join(repository, 'bench', 'peers')
  if (!existsSync(join(folder, 'node_modules', 'onnxruntime-node'))) return null
  const program = join(import.meta.dirname, 'peer-process.ts')
  const start = () =>
    fork(program, [join(folder, 'package.json')], {
      serialization: 'advanced',
      execArgv: ['--conditions=@mlcapsule/source'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  let child = start()
  return {
    name: 'onnxruntime',
    async run(bytes, { inputs, outputs }, optimizes = true) {
      if (child.exitCode !== null || child.signalCode !== null) child = start()
      const answer = await ask(child, {
        bytes,
        inputs: inputs.map(({ name, tensor }) => [name, tensor]),
        outputs: outputs.map(({ name }) => name),
        optimizes,
      })
      if ('refusal' in answer) throw new Error(answer.refusal)
      return answer.tensors
    },
    close: () => void child.kill(),
  }
}
