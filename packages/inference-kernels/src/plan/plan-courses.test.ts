// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { validateProgram } from '../program/validate.ts'
import { noActivation, ProgramBuilder } from '../testing/program-builder.ts'
import { branchProgram, denseProgram } from '../testing/sample-programs.ts'
import { planCourses } from './plan-courses.ts'
import { planProgram } from './plan-program.ts'

describe('planCourses', () => {
  test('is the one plan where nothing depends on data', () => {
    const { program } = denseProgram()
    const { courses, isComplete } = planCourses(program)
    expect(isComplete).toBe(true)
    expect(courses).toMatchObject([{ stepIndices: [0, 1], openStep: null }])
    const { segment } = planProgram(program)
    expect(courses[0]?.arenaSizeBytes).toBe(segment.arenaSizeBytes)
    expect(courses[0]?.recordsSizeBytes).toBe(segment.records.byteLength)
  })

  test('follows branches both ways, and stops where elements decide on a size', () => {
    const { courses, isComplete } = planCourses(branchProgram().program, { symbols: { N: 2 } })
    expect(isComplete).toBe(true)
    // Shape is known from sizes; the else branch begins with a Reshape to what the query says.
    expect(courses.map(({ stepIndices, openStep }) => ({ stepIndices, openStep }))).toEqual([
      { stepIndices: [2, 5], openStep: null },
      { stepIndices: [], openStep: 3 },
    ])
  })

  /** Ifs one after another, each on a condition of its own; both ways an element by element step. */
  const row = (count: number, isOdd = false) => {
    const p = new ProgramBuilder()
    const n = p.symbol('N')
    let value = p.input('x', [n])
    const three = p.weights(Float32Array.of(1, 2, 3), [3])
    for (let i = 0; i < count; i++) {
      const mode = p.input(`mode${i}`, [], 'bool')
      const [output, then, otherwise] = [p.arena([null]), p.arena([null]), p.arena([null])] as const
      const step = p.openIf(mode, [output])
      p.step({ op: 'unary', input: value, output: then, unary: 'relu', alpha: 0, beta: 0 })
      if (isOdd)
        p.step({
          op: 'binary',
          a: value,
          b: three,
          output: otherwise,
          binary: 'add',
          activation: noActivation,
        })
      else p.step({ op: 'unary', input: value, output: otherwise, unary: 'neg', alpha: 0, beta: 0 })
      step.close({ thenStepCount: 1, elseStepCount: 1, thenOutputs: [then], elseOutputs: [otherwise] })
      value = output
    }
    const { program } = p.output('y', value).build()
    validateProgram(program)
    return program
  }

  test('takes every way, up to a number', () => {
    expect(planCourses(row(3), { symbols: { N: 4 } })).toMatchObject({
      isComplete: true,
      courses: { length: 8 },
    })
    const { courses, isComplete } = planCourses(row(7), { symbols: { N: 4 } })
    expect({ count: courses.length, isComplete }).toEqual({ count: 64, isComplete: false })
    expect(planCourses(row(3), { symbols: { N: 4 }, maxCourseCount: 2 })).toMatchObject({ isComplete: false })
  })

  test('leaves out a way that does not take the sizes', () => {
    expect(planCourses(row(1, true), { symbols: { N: 3 } }).courses.length).toBe(2)
    expect(planCourses(row(1, true), { symbols: { N: 4 } }).courses).toMatchObject([{ stepIndices: [1] }])
  })

  test('leaves out a way that takes an element which these sizes do not give', () => {
    const p = new ProgramBuilder()
    const x = p.input('x', [p.symbol('N')])
    const mode = p.input('mode', [], 'bool')
    const [y, size, element] = [0, 1, 2].map(() => p.arena([1], { dtype: 'int64' })) as [
      number,
      number,
      number,
    ]
    const step = p.openIf(mode, [y])
    const attributes = { start: 0, end: 1 }
    p.step({ op: 'operator', operator: 'Shape', inputs: [x], outputs: [size], attributes })
    // Element N of a list of one.
    p.step({
      op: 'operator',
      operator: 'Gather',
      inputs: [size, size],
      outputs: [element],
      attributes: { axis: 0 },
    })
    const one = p.arena([1], { dtype: 'int64' })
    p.step({ op: 'operator', operator: 'Shape', inputs: [x], outputs: [one], attributes })
    step.close({ thenStepCount: 2, elseStepCount: 1, thenOutputs: [element], elseOutputs: [one] })
    const { program } = p.output('y', y).build()
    validateProgram(program)
    expect(planCourses(program, { symbols: { N: 0 } }).courses.length).toBe(2)
    expect(planCourses(program, { symbols: { N: 4 } }).courses.length).toBe(1)
  })
})
