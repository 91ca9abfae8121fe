// SPDX-License-Identifier: Apache-2.0

import type { DType } from '@mlcapsule/contracts'
import { alignmentBytes } from '../abi.generated.ts'
import { packDepthwise16, packPanels16 } from '../program/layouts.ts'
import { stepOutputs } from '../program/step-schema.ts'
import type {
  Activation,
  Dimension,
  Layout,
  Program,
  ProgramPort,
  ProgramState,
  ProgramStep,
  ProgramValue,
} from '../program/types.ts'

/** No activation. */
export const noActivation: Activation = { kind: 'none', alpha: 0, beta: 0 }

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

interface ValueOptions {
  readonly dtype?: DType
  readonly layout?: Layout
}

/** Builds a program and its weights by hand, for tests and examples. Methods that add a value return its index. */
export class ProgramBuilder {
  readonly #symbols: string[] = []
  readonly #values: ProgramValue[] = []
  readonly #steps: ProgramStep[] = []
  readonly #inputs: ProgramPort[] = []
  readonly #outputs: ProgramPort[] = []
  readonly #states: ProgramState[] = []
  readonly #weights: { readonly offsetBytes: number; readonly bytes: Uint8Array }[] = []
  #weightsSizeBytes = 0

  /** A dimension that is bound later. */
  symbol(name: string): Dimension {
    return { symbol: this.#symbols.push(name) - 1 }
  }

  arena(dims: readonly Dimension[], { dtype = 'float32', layout = 'row-major' }: ValueOptions = {}): number {
    return this.#values.push({ dtype, dims, layout, storage: { kind: 'arena' } }) - 1
  }

  alias(of: number, dims: readonly Dimension[], layout: Layout = 'row-major'): number {
    const dtype = this.#values[of]?.dtype ?? 'float32'
    return this.#values.push({ dtype, dims, layout, storage: { kind: 'alias', of } }) - 1
  }

  /** Weights as they lie in memory, packed by the caller if the layout asks for it. */
  weights(
    data: Float32Array | Uint16Array | Int8Array,
    dims: readonly number[],
    layout: Layout = 'row-major',
  ): number {
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int8Array ? 'int8' : 'float16'
    return this.#place(new Uint8Array(data.slice().buffer), { dtype, dims, layout })
  }

  /** Packed weights of bytes, [K, N] or [outC, inC/groups, kH, kW]. */
  bytes(panels: Uint8Array, dims: readonly number[]): number {
    return this.#place(panels, { dtype: 'int8', dims, layout: 'quantizedPanels16' })
  }

  #place(bytes: Uint8Array, value: Omit<ProgramValue, 'storage'>): number {
    const offsetBytes = this.#weightsSizeBytes
    this.#weights.push({ offsetBytes, bytes })
    this.#weightsSizeBytes += Math.ceil(bytes.length / alignmentBytes) * alignmentBytes
    const storage = { kind: 'weights', offsetBytes, sizeBytes: bytes.length } as const
    return this.#values.push({ ...value, storage }) - 1
  }

  /** Dense [K, N] or convolution weights [outC, inC/groups, kH, kW], given in that order. */
  panels(data: Float32Array, dims: readonly number[], groups = 1): number {
    return this.weights(packPanels16(data, dims, groups), dims, 'panels16')
  }

  /** Depthwise weights [C, 1, kH, kW], given in that order. */
  depthwise(data: Float32Array, dims: readonly number[]): number {
    return this.weights(packDepthwise16(data, dims), dims, 'depthwise16')
  }

  input(name: string, dims: readonly Dimension[], dtype: DType = 'float32'): number {
    const value = this.arena(dims, { dtype })
    this.#inputs.push({ name, value })
    return value
  }

  /** Adds a step. @returns its output */
  step(step: ProgramStep): number {
    this.#steps.push(step)
    return stepOutputs(step)[0] as number
  }

  get stepCount(): number {
    return this.#steps.length
  }

  /** Adds an `if` whose branches are the steps that are added next; `close` says how many, and what comes out. */
  openIf(
    condition: number,
    outputs: readonly number[],
  ): { close(branches: Omit<StepOf<'if'>, 'op' | 'condition' | 'outputs'>): void } {
    const at = this.#steps.length++
    return {
      close: (branches) => {
        this.#steps[at] = { op: 'if', condition, outputs, ...branches }
      },
    }
  }

  output(name: string, value: number): this {
    this.#outputs.push({ name, value })
    return this
  }

  /** Carries `output`, as it is after a query, over to `input` in the next one: an arena value that nothing writes. */
  state(input: number, output: number): this {
    this.#states.push({ input, output })
    return this
  }

  /** @returns the program, not validated, and the bytes of its weights */
  build(): { readonly program: Program; readonly weights: Uint8Array } {
    const weights = new Uint8Array(this.#weightsSizeBytes)
    for (const { offsetBytes, bytes } of this.#weights) weights.set(bytes, offsetBytes)
    const program = {
      symbols: [...this.#symbols],
      values: [...this.#values],
      steps: [...this.#steps],
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      states: [...this.#states],
      weightsSizeBytes: this.#weightsSizeBytes,
    }
    return { program, weights }
  }
}
