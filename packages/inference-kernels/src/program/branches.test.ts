// SPDX-License-Identifier: Apache-2.0
// Operators and branches in hostile programs.
import { describe, expect, test } from 'vitest'
import { ProgramBuilder } from '../testing/program-builder.ts'
import { branchProgram } from '../testing/sample-programs.ts'
import { decodeProgram } from './decode.ts'
import { encodeProgram } from './encode.ts'
import { programLimits } from './limits.ts'
import type { Program, ProgramStep } from './types.ts'
import { validateProgram } from './validate.ts'

/** Steps: 0 Shape, 1 if, 2 relu (then), 3 Reshape and 4 neg (else), 5 abs. Values: x 0, mode 1, target 2, Shape's 3. */
const { program } = branchProgram()
const [positive, reshaped, negative, chosen] = [4, 5, 6, 7]

function withStep(index: number, change: object, base: Program = program): Program {
  const step = { ...(base.steps[index] as ProgramStep), ...change } as ProgramStep
  return { ...base, steps: base.steps.with(index, step) }
}

const isFault = (code: string, field: string) => expect.objectContaining({ code, field })

describe('branches', () => {
  test.each<[string, Program, string]>([
    ['a branch that goes beyond the program', withStep(1, { elseStepCount: 99 }), 'steps[1].elseStepCount'],
    ['a negative count', withStep(1, { thenStepCount: -1 }), 'steps[1].thenStepCount'],
    ['a count that is no integer', withStep(1, { thenStepCount: 0.5 }), 'steps[1].thenStepCount'],
    ['a count that overflows', withStep(1, { elseStepCount: 2 ** 53 }), 'steps[1].elseStepCount'],
    ['no outputs', withStep(1, { thenOutputs: [] }), 'steps[1].thenOutputs'],
    [
      'more outputs of one branch',
      withStep(1, { thenOutputs: [positive, positive] }),
      'steps[1].thenOutputs',
    ],
    ['an output of the other branch', withStep(1, { thenOutputs: [negative] }), 'steps[1].thenOutputs[0]'],
    ['an output that nothing writes', withStep(1, { elseOutputs: [8] }), 'steps[1].elseOutputs[0]'],
    ['an output out of range', withStep(1, { elseOutputs: [99] }), 'steps[1].elseOutputs[0]'],
    ['an output of another dtype', withStep(1, { thenOutputs: [3] }), 'steps[1].thenOutputs[0]'],
    ['its own result as an output', withStep(1, { thenOutputs: [chosen] }), 'steps[1].thenOutputs[0]'],
    [
      'two results in one value',
      withStep(1, {
        thenOutputs: [positive, positive],
        elseOutputs: [negative, negative],
        outputs: [chosen, chosen],
      }),
      'steps[1].outputs[1]',
    ],
    ['a result in an input', withStep(1, { outputs: [0] }), 'steps[1].outputs[0]'],
    ['a result that a branch has written', withStep(1, { outputs: [positive] }), 'steps[1].outputs[0]'],
    ['a condition of floats', withStep(1, { condition: 0 }), 'steps[1].condition'],
    ['a condition that comes later', withStep(1, { condition: 8 }), 'steps[1].condition'],
    ['a step that reads what a branch wrote', withStep(5, { input: positive }), 'steps[5].input'],
    ['a branch that reads what the other wrote', withStep(4, { input: positive }), 'steps[4].input'],
    ['a branch that writes what the other wrote', withStep(4, { output: positive }), 'steps[4].output'],
    ['branches that overlap', withStep(1, { thenStepCount: 2, elseStepCount: 2 }), 'steps[4].input'],
  ])('refuses %s', (_what, broken, field) => {
    expect(() => validateProgram(broken)).toThrow(isFault('PROGRAM_INVALID', field))
  })

  const nested = (depth: number): Program => {
    const p = new ProgramBuilder()
    const x = p.input('x', [2])
    const mode = p.input('mode', [], 'bool')
    const within = (left: number): number => {
      if (left === 0) return x
      const output = p.arena([2])
      const step = p.openIf(mode, [output])
      const first = p.stepCount
      const inner = within(left - 1)
      step.close({
        thenStepCount: p.stepCount - first,
        elseStepCount: 0,
        thenOutputs: [inner],
        elseOutputs: [x],
      })
      return output
    }
    return p.output('y', within(depth)).build().program
  }

  test('takes branches within branches up to a depth', () => {
    const deepest = nested(programLimits.branchDepth)
    expect(decodeProgram(encodeProgram(deepest))).toEqual(deepest)
    expect(() => validateProgram(nested(programLimits.branchDepth + 1))).toThrow(
      isFault('PROGRAM_INVALID', `steps[${programLimits.branchDepth}]`),
    )
    expect(() => validateProgram(nested(5000))).toThrow(expect.objectContaining({ code: 'PROGRAM_INVALID' }))
  })
})

describe('operators', () => {
  test.each<[string, object, string]>([
    ['one that does not exist', { operator: 'constructor' }, 'steps[3].operator'],
    ['too few inputs', { inputs: [0] }, 'steps[3].inputs'],
    ['too many inputs', { inputs: [0, 2, 2] }, 'steps[3].inputs'],
    ['inputs that are no list', { inputs: { length: 2 } }, 'steps[3].inputs'],
    ['an input out of range', { inputs: [0, 99] }, 'steps[3].inputs[1]'],
    ['an input that comes later', { inputs: [0, 8] }, 'steps[3].inputs[1]'],
    ['no outputs', { outputs: [] }, 'steps[3].outputs'],
    ['an output twice', { outputs: [reshaped, reshaped] }, 'steps[3].outputs'],
    ['an attribute left out', { attributes: {} }, 'steps[3].attributes.allowzero'],
    ['an attribute too many', { attributes: { allowzero: true, x: 1 } }, 'steps[3].attributes.x'],
    ['an attribute of another kind', { attributes: { allowzero: 1 } }, 'steps[3].attributes.allowzero'],
    [
      'an inherited attribute',
      { attributes: { allowzero: true, __proto__: null, toString: 1 } },
      'steps[3].attributes.toString',
    ],
  ])('refuses %s', (_what, change, field) => {
    const broken = withStep(3, change)
    expect(() => validateProgram(broken)).toThrow(isFault('PROGRAM_INVALID', field))
    expect(() => encodeProgram(broken)).toThrow(isFault('PROGRAM_INVALID', field))
  })

  test.each<[string, number, string]>([
    ['a fraction', 0.5, 'steps[0].attributes.start'],
    ['more than 32 bits', 2 ** 40, 'steps[0].attributes.start'],
    ['NaN', Number.NaN, 'steps[0].attributes.start'],
  ])('refuses %s as an integer', (_what, start, field) => {
    const broken = withStep(0, { attributes: { start, end: 2 } })
    expect(() => validateProgram(broken)).toThrow(isFault('PROGRAM_INVALID', field))
  })

  test('a name of an operator that the engine lacks is refused when it is read', () => {
    const bytes = encodeProgram(program)
    const at = Buffer.from(bytes).indexOf('Reshape')
    const renamed = bytes.slice()
    renamed[at] = 'X'.charCodeAt(0)
    expect(() => decodeProgram(renamed)).toThrow(isFault('PROGRAM_INVALID', 'steps[3].operator'))
  })

  test('a table of operators that no encoding of the program has is refused', () => {
    const p = new ProgramBuilder()
    let value = p.input('x', [2])
    for (const operator of ['Sin', 'Cos']) {
      const outputs = [p.arena([2])]
      value = p.step({ op: 'operator', operator, inputs: [value], outputs, attributes: {} })
    }
    const bytes = Buffer.from(encodeProgram(p.output('y', value).build().program))
    expect(decodeProgram(bytes).steps.length).toBe(2)
    // One name twice: what it decodes to is written with the name once.
    bytes.write('Sin', bytes.indexOf('Cos'))
    expect(() => decodeProgram(bytes)).toThrow(isFault('PROGRAM_MALFORMED', 'operators'))
  })

  test('more operators than there may be are refused before they are read', () => {
    const lying = encodeProgram(program)
    const view = new DataView(lying.buffer)
    expect(view.getUint32(44, true)).toBe(2)
    view.setUint32(44, programLimits.operatorCount + 1, true)
    expect(() => decodeProgram(lying)).toThrow(isFault('PROGRAM_LIMIT_EXCEEDED', 'operatorCount'))
  })
})
