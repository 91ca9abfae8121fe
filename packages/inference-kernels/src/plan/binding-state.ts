// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import type { ProgramStep } from '../program/types.ts'
import type { ArenaBlock } from './arena.ts'

/** A piece of arena; `offsetBytes` is -1 until it is planned. */
export interface Block extends ArenaBlock {
  lastStep: number
  offsetBytes: number
}

/** A list of steps being walked: the program's, or that of a branch. */
export interface Frame {
  next: number
  readonly end: number
  /** What the branch gives to its `if` when it is through. */
  readonly branch: {
    readonly step: Extract<ProgramStep, { readonly op: 'if' }>
    readonly outputs: readonly number[]
  } | null
}

/** How far a binding has come, and all that it has settled on the way. */
export interface BindingState {
  /** Concrete dims of each value that is bound by now. */
  readonly dims: (readonly number[] | undefined)[]
  /** For a value that shares the bytes of another one in this binding: which; else -1. */
  readonly shared: Int32Array
  /** The block of each root, -1 where it has none. */
  readonly blockOf: Int32Array
  readonly blocks: Block[]
  /** Elements that are known now, by root. */
  readonly contents: Map<number, TensorData>
  /** Steps that are still to be walked, the innermost branch last. */
  readonly frames: Frame[]
  arenaSizeBytes: number
}

export function initialState(valueCount: number, stepCount: number): BindingState {
  return {
    dims: new Array(valueCount),
    shared: new Int32Array(valueCount).fill(-1),
    blockOf: new Int32Array(valueCount).fill(-1),
    blocks: [],
    contents: new Map(),
    frames: [{ next: 0, end: stepCount, branch: null }],
    arenaSizeBytes: 0,
  }
}

/** A copy that goes its own way. */
export function forkState(state: BindingState): BindingState {
  return {
    dims: state.dims.slice(),
    shared: state.shared.slice(),
    blockOf: state.blockOf.slice(),
    blocks: state.blocks.map((block) => ({ ...block })),
    contents: new Map(state.contents),
    frames: state.frames.map((frame) => ({ ...frame })),
    arenaSizeBytes: state.arenaSizeBytes,
  }
}
