// SPDX-License-Identifier: Apache-2.0
import { elementCount, isMlCapsuleError, type TensorSpec } from '@mlcapsule/contracts'
import { encodeProgram } from '@mlcapsule/inference-kernels/program'
import { type Graph, isUnknown, type Value } from '../graph/graph.ts'
import { carryStates } from './carry-states.ts'
import type { LoweredGraph } from './lower.ts'
import { lowered } from './pipeline.ts'
import { type PlannedProgram, planned } from './plan.ts'
import { findStates, type StateOption, type StatePair } from './states.ts'
import type { WeightsStorage, WeightsSummary } from './store-weights.ts'
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
  /** How weights of dense layers and convolutions are kept, float32 by default. Kernels compute in float32 all the same. */
  readonly weights?: WeightsStorage
}

/** Figures about a compiled model. */
export interface ModelSummary {
  /** Nodes of the model as it was given. */
  readonly nodeCount: number
  /** Steps of the program. */
  readonly stepCount: number
  /** Elements of all float constants of the model as it was given. */
  readonly parameterCount: number
  /** Multiply-accumulate operations of one query, of those courses that are known the one with most arithmetic. */
  readonly macCount: number
  /** Memory that intermediate results need, without weights: of those courses that are known the most. */
  readonly arenaSizeBytes: number
  /** Whether no query of these sizes can need more: false where elements of a query decide on sizes. */
  readonly isArenaComplete: boolean
  /** How often the model as it was given uses each operator. */
  readonly operators: Readonly<Record<string, number>>
  /** Inputs and outputs of the model as it was given that became states. */
  readonly states: readonly StatePair[]
  readonly weights: WeightsSummary
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

/** Sizes of the model's own that are tried: each is a plan of the whole program. */
const ownSizeCount = 16

/** Sizes that symbols may have to have, since they meet dimensions of the model's own, or shapes among its constants. */
async function ownSizes({ program, decisive }: LoweredGraph): Promise<readonly number[]> {
  const sizes = program.values.flatMap(({ dims }) => dims.filter((dim) => typeof dim === 'number'))
  for (const constant of decisive.values()) {
    if (constant.dtype !== 'int64') continue
    sizes.push(...Array.from(await constant.read(0, elementCount(constant.dims)), Number))
  }
  return [...new Set(sizes)].filter((size) => size > 1 && size <= 512).slice(0, ownSizeCount)
}

/** A plan, and the sizes of symbols that it is for. */
export interface SizedPlan extends PlannedProgram {
  readonly symbols: Readonly<Record<string, number>>
}

/** @throws KernelError `PROGRAM_*` if there are no sizes that the program takes */
async function planSizes(result: LoweredGraph, given: Readonly<Record<string, number>>): Promise<SizedPlan> {
  let fault: unknown
  for (const size of [...plannedSizes, ...(await ownSizes(result))]) {
    const sizeOf = (name: string) => (Object.hasOwn(given, name) ? given[name] : undefined) ?? size
    const symbols = Object.fromEntries(result.program.symbols.map((name) => [name, sizeOf(name)]))
    try {
      return { ...(await planned(result, symbols)), symbols }
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
  return (await compileWithPlan(graph, options)).model
}

/** As `compileGraph`, with what only a report asks for. */
export async function compileWithPlan(
  graph: Graph,
  options: CompileOptions,
): Promise<{ readonly model: CompiledModel; readonly lowered: LoweredGraph; readonly plan: SizedPlan }> {
  const states = findStates(graph, options.states ?? 'none')
  const whole = await lowered(graph, options.weights)
  const result = { ...whole, program: carryStates(whole.program, states) }
  const { program, weights } = result
  // Writing validates: what goes beyond a limit of the engine is refused before it is planned.
  const bytes = encodeProgram(program)
  const plan = await planSizes(result, options.planSymbols ?? {})
  const model: CompiledModel = {
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
      macCount: plan.work.macCount,
      arenaSizeBytes: plan.arenaSizeBytes,
      isArenaComplete: plan.isComplete,
      states,
      weights: result.storage,
    },
  }
  return { model, lowered: result, plan }
}
