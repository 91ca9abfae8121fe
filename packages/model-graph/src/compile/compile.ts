// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, type TensorSpec } from '@mlcapsule/contracts'
import { planProgram } from '@mlcapsule/inference-kernels'
import { encodeProgram, type Program } from '@mlcapsule/inference-kernels/program'
import { type Graph, isUnknown, type Value } from '../graph/graph.ts'
import { carryStates } from './carry-states.ts'
import { countMacs } from './counts.ts'
import { lowered } from './pipeline.ts'
import { findStates, type StateOption, type StatePair } from './states.ts'
import type { CompiledWeights } from './weights.ts'

export interface CompileOptions {
  /**
   * Sizes of symbolic dimensions for the summary's memory figure; where not given, the first of `plannedSizes` that the model
   * takes. The program keeps its symbols.
   */
  readonly planSymbols?: Readonly<Record<string, number>>
  /**
   * Inputs and outputs that the engine carries from query to query, such as a decoder's cache; `none` by default. They are
   * then neither inputs nor outputs of the compiled model.
   */
  readonly states?: StateOption
}

/** Figures about a compiled model. */
export interface ModelSummary {
  /** Nodes of the model as it was given. */
  readonly nodeCount: number
  /** Steps of the program. */
  readonly stepCount: number
  /** Elements of all float constants of the model as it was given. */
  readonly parameterCount: number
  /** Multiply-accumulate operations of one query. */
  readonly macCount: number
  /** Memory that intermediate results need, without weights. */
  readonly arenaSizeBytes: number
  /** How often the model as it was given uses each operator. */
  readonly operators: Readonly<Record<string, number>>
  /** Inputs and outputs of the model as it was given that became states. */
  readonly states: readonly StatePair[]
}

export interface CompiledModel {
  /** The program in its binary form. */
  readonly program: Uint8Array
  /** Read while the model's source is open. */
  readonly weights: CompiledWeights
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly summary: ModelSummary
}

/** A dimension that is worked out goes by the place where it stands. */
const specOf = (name: string, { dtype, dims }: Value): TensorSpec => ({
  name,
  dtype,
  shape: dims.map((dim, axis) => (isUnknown(dim) ? `${name}_dim_${axis}` : dim)),
})

/** Windows have to fit into an image: not every model takes dimensions of 1. */
const plannedSizes = [1, 8, 64, 224, 512]

/** Memory that intermediate results need. @throws KernelError `PROGRAM_*` if there are no sizes that the program takes */
function arenaSize(program: Program, given: Readonly<Record<string, number>>): number {
  let fault: unknown
  for (const size of plannedSizes) {
    const sizeOf = (name: string) => (Object.hasOwn(given, name) ? given[name] : undefined) ?? size
    const symbols = Object.fromEntries(program.symbols.map((name) => [name, sizeOf(name)]))
    try {
      return planProgram(program, { symbols }).segment.arenaSizeBytes
    } catch (error) {
      if (!isMlCapsuleError(error)) throw error
      fault ??= error
    }
  }
  throw fault
}

/**
 * Optimizes a graph and turns it into a program with packed weights. Weights are packed while they are read, so a model of
 * any size needs little memory here.
 * @throws ModelError `MODEL_TOO_LARGE`, `MODEL_STATE_INVALID`; KernelError `PROGRAM_*` where the program goes beyond a limit of the engine
 */
export async function compileGraph(graph: Graph, options: CompileOptions = {}): Promise<CompiledModel> {
  const states = findStates(graph, options.states ?? 'none')
  const { graph: optimized, program: whole, weights } = await lowered(graph)
  const program = carryStates(whole, states)
  // Writing validates: what goes beyond a limit of the engine is refused before it is planned.
  const bytes = encodeProgram(program)
  return {
    program: bytes,
    weights,
    inputs: graph.inputs
      .filter(({ name }) => states.every(({ input }) => input !== name))
      .map((value) => specOf(value.name, value)),
    outputs: graph.outputs
      .filter(({ name }) => states.every(({ output }) => output !== name))
      .map(({ name, value }) => specOf(name, value)),
    summary: {
      ...graph.source,
      stepCount: program.steps.length,
      macCount: countMacs(optimized),
      arenaSizeBytes: arenaSize(program, options.planSymbols ?? {}),
      states,
    },
  }
}
