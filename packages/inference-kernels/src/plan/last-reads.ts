// SPDX-License-Identifier: Apache-2.0
import { operatorOf } from '../operators/registry.ts'
import { exitValues } from '../program/bind-dims.ts'
import { stepInputs, stepOutputs } from '../program/step-schema.ts'
import type { Program, ProgramStep } from '../program/types.ts'

/** Values whose bytes an output may turn out to be. */
function sources(step: ProgramStep, output: number): readonly number[] {
  if (step.op === 'if') return [step.thenOutputs[output] as number, step.elseOutputs[output] as number]
  const isAlias = step.op === 'operator' && output === 0 && operatorOf(step.operator)?.isAlias === true
  return isAlias ? [step.inputs[0] as number] : []
}

/** Steps, each after all that read what it writes: from the end, an `if` before its branches. */
function backwards({ steps }: Program): readonly number[] {
  const order: number[] = []
  const visit = (first: number, end: number) => {
    for (let s = first; s < end; s++) {
      const step = steps[s] as ProgramStep
      if (step.op === 'if') {
        const elseStart = s + 1 + step.thenStepCount
        visit(s + 1, elseStart)
        visit(elseStart, elseStart + step.elseStepCount)
        order.push(s)
        s = elseStart + step.elseStepCount - 1
      } else order.push(s)
    }
  }
  visit(0, steps.length)
  return order.reverse()
}

/**
 * The last step that needs each root's bytes, whichever way branches go: at least the one that writes it. Outputs and
 * states of the program count as read after all steps.
 * @param roots of `valueRoots`
 */
export function lastReads(program: Program, roots: Int32Array): Int32Array {
  const last = new Int32Array(program.values.length).fill(-1)
  const read = (value: number, step: number) => {
    const root = roots[value] as number
    last[root] = Math.max(last[root] as number, step)
  }
  for (const [s, step] of program.steps.entries()) {
    for (const output of stepOutputs(step)) read(output, s)
    for (const [, value] of stepInputs(step)) read(value, s)
  }
  for (const value of exitValues(program)) read(value, program.steps.length)
  // What shares bytes keeps them alive for all that share them.
  for (const s of backwards(program)) {
    const step = program.steps[s] as ProgramStep
    for (const [i, output] of stepOutputs(step).entries()) {
      const until = last[roots[output] as number] as number
      for (const source of sources(step, i)) read(source, until)
    }
  }
  return last
}
