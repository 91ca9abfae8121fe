// SPDX-License-Identifier: Apache-2.0
import type { Network } from '../networks/network.ts'

/** A network made ready by an engine. */
export interface LoadedEngine {
  /** The input, given row-major in the network's own dims, as this engine takes it. Not timed. */
  arrange(input: Float32Array): Float32Array
  /** One query; the arranged input and the output are in JavaScript's memory. */
  run(input: Float32Array): Float32Array | Promise<Float32Array>
  /** What the engine itself says that it holds, or null where it does not say. */
  readonly memorySizeBytes: number | null
  close(): void | Promise<void>
}

export interface Engine {
  readonly name: string
  /** Threads that this engine can use here. */
  readonly maxThreadCount: number
  /** Whether it computes with rounded weights: its answers are then measured, not held to those of the others. */
  readonly isApproximate?: true
  load(network: Network, threadCount: number): Promise<LoadedEngine>
}
