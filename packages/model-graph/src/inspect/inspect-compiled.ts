// SPDX-License-Identifier: Apache-2.0
import { operatorOf, type Program, type ProgramStep, stepInputs } from '@mlcapsule/inference-kernels/program'
import type { compileWithPlan } from '../compile/compile.ts'

/** The size of a symbolic dimension that figures hold for. */
export interface SymbolSize {
  readonly name: string
  readonly size: number
  /** Whether nobody gave it. */
  readonly isAssumed: boolean
}

/** A place where elements of a query decide how it goes on. */
export interface DataDependence {
  /** The node of the model, with its operator. */
  readonly node: string
  /** `branch`: which steps run. `sizes`: how large a result is; figures end here. */
  readonly decides: 'branch' | 'sizes'
}

/** What a compiled model takes to run, for the sizes that `symbols` lists. */
export interface CompiledInspection {
  readonly symbols: readonly SymbolSize[]
  /** Steps of the program by what runs them: kernels in C, operators in TypeScript, and choices between branches. */
  readonly kernelStepCount: number
  readonly operatorStepCount: number
  readonly branchStepCount: number
  /** Operators in TypeScript that queries run, those of branches among them: not what is worked out once for given sizes. */
  readonly operatorsRun: readonly { readonly operator: string; readonly stepCount: number }[]
  /** Multiply-accumulate operations; of branches those with most arithmetic. */
  readonly macCount: number
  /** Two for each of those, and one for each element that any other arithmetic step goes through. */
  readonly flopCount: number
  /** Operators whose arithmetic is in neither. */
  readonly uncountedOperators: readonly string[]
  /** The most that intermediate results take. */
  readonly arenaSizeBytes: number
  readonly weightsSizeBytes: number
  readonly programSizeBytes: number
  /** The program as kernels take it. */
  readonly recordsSizeBytes: number
  /** arena + weights + program + records: what an enclave holds that keeps all weights. Code and heap come on top. */
  readonly residentMemorySizeBytes: number
  /**
   * arena + program + records + twice the weights of the step that has most: an estimate of what an enclave would hold that
   * reads the weights of the next step while one runs. The engine has no such mode yet.
   */
  readonly streamingMemorySizeBytes: number
  /** Whether these figures are the most that a query of these sizes can need, not merely the least. */
  readonly isComplete: boolean
  readonly dataDependences: readonly DataDependence[]
}

/** Steps that some query may run: those of all known courses, and all after a step at which figures end. */
function running(steps: readonly ProgramStep[], known: readonly number[], openSteps: readonly number[]) {
  const firstOpen = Math.min(...openSteps, steps.length)
  const later = steps.flatMap((_, index) => (index >= firstOpen ? [index] : []))
  return new Set([...known, ...later])
}

/** The most weights that one step reads. */
function largestStepWeights({ steps, values }: Program): number {
  const sizes = steps.map((step) => {
    const weights = new Set(stepInputs(step).map(([, value]) => values[value]?.storage))
    return [...weights].reduce((sum, it) => sum + (it?.kind === 'weights' ? it.sizeBytes : 0), 0)
  })
  return Math.max(0, ...sizes)
}

export function inspectCompiled(
  { model, lowered, plan }: Awaited<ReturnType<typeof compileWithPlan>>,
  given: Readonly<Record<string, number>>,
): CompiledInspection {
  const { steps } = lowered.program
  const counts = { kernel: 0, operator: 0, if: 0 }
  for (const { op } of steps) counts[op === 'operator' || op === 'if' ? op : 'kernel']++
  const run = new Map<string, number>()
  for (const index of running(steps, plan.stepIndices, plan.openSteps)) {
    const step = steps[index] as ProgramStep
    if (step.op !== 'operator' || operatorOf(step.operator)?.isAlias === true) continue
    run.set(step.operator, (run.get(step.operator) ?? 0) + 1)
  }
  const { arenaSizeBytes, recordsSizeBytes, work } = plan
  const weightsSizeBytes = model.weights.sizeBytes
  const programSizeBytes = model.program.length
  const originOf = (index: number) => lowered.origins[index] ?? ''
  return {
    symbols: [
      ...Object.entries(given).map(([name, size]) => ({ name, size, isAssumed: false })),
      ...Object.entries(plan.symbols).map(([name, size]) => ({ name, size, isAssumed: true })),
    ],
    kernelStepCount: counts.kernel,
    operatorStepCount: counts.operator,
    branchStepCount: counts.if,
    operatorsRun: [...run]
      .map(([operator, stepCount]) => ({ operator, stepCount }))
      .sort((a, b) => b.stepCount - a.stepCount || (a.operator < b.operator ? -1 : 1)),
    macCount: work.macCount,
    flopCount: work.flopCount,
    uncountedOperators: work.uncounted,
    arenaSizeBytes,
    weightsSizeBytes,
    programSizeBytes,
    recordsSizeBytes,
    residentMemorySizeBytes: arenaSizeBytes + weightsSizeBytes + programSizeBytes + recordsSizeBytes,
    streamingMemorySizeBytes:
      arenaSizeBytes + programSizeBytes + recordsSizeBytes + 2 * largestStepWeights(lowered.program),
    isComplete: plan.isComplete,
    dataDependences: [
      ...steps.flatMap((step, index) =>
        step.op === 'if' ? [{ node: originOf(index), decides: 'branch' as const }] : [],
      ),
      ...plan.openSteps.map((index) => ({ node: originOf(index), decides: 'sizes' as const })),
    ],
  }
}
