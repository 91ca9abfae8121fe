// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes } from '@mlcapsule/contracts'
import { stepInputs } from '../program/step-schema.ts'
import type { Program, ProgramStep, ProgramValue } from '../program/types.ts'
import type { ArenaBlock } from './arena.ts'

export interface Lifetimes {
  readonly blocks: readonly ArenaBlock[]
  /** Index of each root value's block, -1 for values that are no arena roots. */
  readonly blockOf: Int32Array
}

/** Fields whose operand the step's kernel may overwrite with its output. */
function inPlaceFields(step: ProgramStep): readonly string[] {
  switch (step.op) {
    case 'unary':
    case 'softmax':
      return ['input']
    case 'binary':
      return ['a', 'b']
    case 'conv2d':
    case 'dense':
      return ['residual']
    default:
      return []
  }
}

/** The last step that reads each root. Inputs and outputs of the program count as read before and after all steps. */
function lastReads(program: Program, roots: Int32Array): Int32Array {
  const last = new Int32Array(program.values.length).fill(-1)
  for (const [s, step] of program.steps.entries()) {
    last[step.output] = s
    for (const [, value] of stepInputs(step)) last[roots[value] as number] = s
  }
  for (const { value } of program.outputs) last[roots[value] as number] = program.steps.length
  return last
}

/**
 * When each piece of arena is needed. A value that a step may write over the last use of an operand shares its piece.
 * @param dims concrete logical dims of each value
 * @param roots of `valueRoots`
 */
export function planLifetimes(
  program: Program,
  dims: readonly (readonly number[])[],
  roots: Int32Array,
): Lifetimes {
  const lastRead = lastReads(program, roots)
  const blockOf = new Int32Array(program.values.length).fill(-1)
  const blocks: { sizeBytes: number; firstStep: number; lastStep: number }[] = []

  const addBlock = (root: number, firstStep: number) => {
    const { dtype } = program.values[root] as ProgramValue
    const sizeBytes = (dims[root] as readonly number[]).reduce(
      (size, dim) => size * dim,
      elementSizeBytes(dtype),
    )
    blockOf[root] = blocks.push({ sizeBytes, firstStep, lastStep: lastRead[root] as number }) - 1
  }

  const isSameShape = (a: number, b: number) => {
    const [x, y] = [dims[a], dims[b]] as [readonly number[], readonly number[]]
    const sameLayout = program.values[a]?.layout === program.values[b]?.layout
    return sameLayout && x.length === y.length && x.every((dim, d) => dim === y[d])
  }

  /** The root whose piece the output may take over. */
  const reusableRoot = (step: ProgramStep, s: number): number | undefined => {
    const fields = inPlaceFields(step)
    const operands = stepInputs(step).map(([field, value]) => ({
      field,
      value,
      root: roots[value] as number,
    }))
    const isReusable = ({ root }: { root: number }) => {
      if (program.values[root]?.storage.kind !== 'arena' || lastRead[root] !== s) return false
      // Every operand in that piece must be read element by element, in the order in which the output is written.
      return operands.every(
        (each) => each.root !== root || (fields.includes(each.field) && isSameShape(each.value, step.output)),
      )
    }
    return operands.find((each) => fields.includes(each.field) && isReusable(each))?.root
  }

  for (const { value } of program.inputs) addBlock(value, -1)
  for (const [s, step] of program.steps.entries()) {
    const root = reusableRoot(step, s)
    if (root === undefined) {
      addBlock(step.output, s)
      continue
    }
    const block = blockOf[root] as number
    blockOf[step.output] = block
    const shared = blocks[block] as { lastStep: number }
    shared.lastStep = Math.max(shared.lastStep, lastRead[step.output] as number)
  }
  return { blocks, blockOf }
}
