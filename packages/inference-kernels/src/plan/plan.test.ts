// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordWordCount } from '../abi.generated.ts'
import { declaredDims, entryValues, exitValues } from '../program/bind-dims.ts'
import { stepInputs, stepOutputs } from '../program/step-schema.ts'
import { validateProgram } from '../program/validate.ts'
import { valueRoots } from '../program/value-roots.ts'
import { assertRecords } from '../records/check.ts'
import { ProgramBuilder } from '../testing/program-builder.ts'
import { randomProgram } from '../testing/random-program.ts'
import { imageProgram } from '../testing/sample-programs.ts'
import { type ArenaBlock, alignUp, planArena } from './arena.ts'
import { lastReads } from './last-reads.ts'
import { planProgram } from './plan-program.ts'

const numRuns = process.env.SLOW === '1' ? 10_000 : 200

describe('planArena', () => {
  const blocks = fc.array(
    fc
      .record({ sizeBytes: fc.integer({ min: 1, max: 5000 }), from: fc.nat(20), count: fc.nat(6) })
      .map(
        ({ sizeBytes, from, count }): ArenaBlock => ({ sizeBytes, firstStep: from, lastStep: from + count }),
      ),
    { maxLength: 40 },
  )

  test('no two blocks that live together share a byte; all are aligned, in bounds, and no more than the sum', () => {
    fc.assert(
      fc.property(blocks, (list) => {
        const { offsetsBytes, sizeBytes } = planArena(list)
        const sum = list.reduce((total, block) => total + alignUp(block.sizeBytes), 0)
        expect(sizeBytes).toBeLessThanOrEqual(sum)
        for (const [i, a] of list.entries()) {
          const start = offsetsBytes[i] as number
          expect(start % 64).toBe(0)
          expect(start + a.sizeBytes).toBeLessThanOrEqual(sizeBytes)
          for (const [j, b] of list.entries()) {
            if (j <= i || a.lastStep < b.firstStep || b.lastStep < a.firstStep) continue
            const other = offsetsBytes[j] as number
            expect(start + a.sizeBytes <= other || other + b.sizeBytes <= start).toBe(true)
          }
        }
      }),
      { numRuns },
    )
  })

  test('leaves blocks where they are that have their place, and keeps clear of those that live on', () => {
    fc.assert(
      fc.property(blocks, fc.nat(20), (list, from) => {
        const early = list.filter((it) => it.firstStep < from)
        const first = planArena(early)
        const fixed = early.map((block, i) => ({ ...block, offsetBytes: first.offsetsBytes[i] as number }))
        const late = list.filter((it) => it.firstStep >= from)
        const { offsetsBytes, sizeBytes } = planArena(late, fixed)
        expect(sizeBytes).toBeGreaterThanOrEqual(first.sizeBytes)
        const all = [
          ...fixed,
          ...late.map((block, i) => ({ ...block, offsetBytes: offsetsBytes[i] as number })),
        ]
        for (const [i, a] of all.entries()) {
          expect(a.offsetBytes + a.sizeBytes).toBeLessThanOrEqual(sizeBytes)
          for (const b of all.slice(i + 1)) {
            if (a.lastStep < b.firstStep || b.lastStep < a.firstStep) continue
            const isApart =
              a.offsetBytes + a.sizeBytes <= b.offsetBytes || b.offsetBytes + b.sizeBytes <= a.offsetBytes
            expect(isApart).toBe(true)
          }
        }
      }),
      { numRuns },
    )
  })

  test('takes as many blocks as a program may have, one after another or all at once', () => {
    const chain = Array.from({ length: 65_536 }, (_, i) => ({ sizeBytes: 64, firstStep: i, lastStep: i + 1 }))
    expect(planArena(chain).sizeBytes).toBe(2 * 64)
    const together = chain.map(({ sizeBytes }, i) => ({ sizeBytes, firstStep: i % 16_384, lastStep: 16_384 }))
    expect(planArena(together).sizeBytes).toBe(65_536 * 64)
  })

  test('never needs less than the fullest step, and reaches it for a chain', () => {
    const chain = Array.from({ length: 50 }, (_, i) => ({ sizeBytes: 640, firstStep: i, lastStep: i + 1 }))
    expect(planArena(chain).sizeBytes).toBe(2 * 640)
  })
})

describe('lastReads', () => {
  /** The steps that each value is needed until, by name. */
  const readsOf = (p: ProgramBuilder) => {
    const { program } = p.build()
    validateProgram(program)
    return lastReads(program, valueRoots(program.values))
  }
  const abs = (p: ProgramBuilder, input: number) =>
    p.step({ op: 'unary', input, output: p.arena([2]), unary: 'abs', alpha: 0, beta: 0 })
  const identity = (p: ProgramBuilder, input: number) =>
    p.step({ op: 'operator', operator: 'Identity', inputs: [input], outputs: [p.arena([2])], attributes: {} })

  test('an operator that passes its input on keeps it alive, however long the chain', () => {
    const p = new ProgramBuilder()
    const x = p.input('x', [2])
    let value = x
    for (let i = 0; i < 1000; i++) value = identity(p, value)
    const reads = readsOf(p.output('y', abs(p, value)))
    expect(reads[x]).toBe(1000)
    expect(reads[value]).toBe(1000)
  })

  test('what comes out of a branch within a branch is needed as long as the last result', () => {
    const p = new ProgramBuilder()
    const x = p.input('x', [2])
    const mode = p.input('mode', [], 'bool')
    const [outer, inner] = [p.arena([2]), p.arena([2])]
    const outerIf = p.openIf(mode, [outer])
    const innerIf = p.openIf(mode, [inner])
    const made = abs(p, x)
    const passed = identity(p, made)
    innerIf.close({ thenStepCount: 2, elseStepCount: 0, thenOutputs: [passed], elseOutputs: [x] })
    const through = identity(p, inner)
    outerIf.close({ thenStepCount: 4, elseStepCount: 0, thenOutputs: [through], elseOutputs: [x] })
    for (let i = 0; i < 3; i++) abs(p, x)
    const reads = readsOf(p.output('y', abs(p, outer)))
    // Steps: two ifs, abs, two identities, three that do not matter, and the reader.
    for (const value of [x, made, passed, inner, through, outer]) expect(reads[value]).toBe(8)
    expect(reads[mode]).toBe(1)
  })
})

describe('planProgram', () => {
  test('whatever a step reads is still what was written there; every record passes the checks', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const program = randomProgram(seed)
        validateProgram(program)
        const bound = planProgram(program)
        assertRecords(bound.segment.records, bound.segment.memorySizeBytes)

        const roots = valueRoots(program.values)
        const dims = declaredDims(program)
        const { blocks, blockOf } = bound.segment.continuation.state
        const owners = new Int32Array(bound.segment.arenaSizeBytes).fill(-1)
        const range = (root: number): [number, number] => {
          const start = blocks[blockOf[root] as number]?.offsetBytes as number
          const size = (dims[root] ?? []).reduce((total, dim) => total * dim, elementSizeBytes('float32'))
          return [start, start + size]
        }
        const write = (root: number) => owners.fill(root, ...range(root))
        const expectOwned = (value: number) => {
          const root = roots[value] as number
          expect(owners.subarray(...range(root)).every((owner) => owner === root)).toBe(true)
        }
        for (const value of entryValues(program)) write(value)
        for (const step of program.steps) {
          for (const [, value] of stepInputs(step)) expectOwned(value)
          for (const value of stepOutputs(step)) write(value)
        }
        for (const value of exitValues(program)) expectOwned(value)
      }),
      { numRuns },
    )
  })

  test('a chain of elementwise steps runs in one piece of arena', () => {
    const p = new ProgramBuilder()
    let value = p.input('x', [1, 1000])
    for (let i = 0; i < 5; i++) {
      value = p.step({
        op: 'unary',
        input: value,
        output: p.arena([1, 1000]),
        unary: 'abs',
        alpha: 0,
        beta: 0,
      })
    }
    const bound = planProgram(p.output('y', value).build().program)
    expect(bound.segment.arenaSizeBytes).toBe(alignUp(4000))
    expect(bound.segment.outputs[0]?.addressBytes).toBe(bound.inputs[0]?.addressBytes)
  })

  test('an operand that is both input and residual of one step is not written over', () => {
    const p = new ProgramBuilder()
    const x = p.input('x', [2, 16])
    const y = p.step({
      op: 'dense',
      input: x,
      weights: p.panels(new Float32Array(256), [16, 16]),
      bias: null,
      residual: x,
      output: p.arena([2, 16]),
      activation: { kind: 'none', alpha: 0, beta: 0 },
    })
    const bound = planProgram(p.output('y', y).build().program)
    assertRecords(bound.segment.records, bound.segment.memorySizeBytes)
    expect(bound.segment.arenaSizeBytes).toBe(2 * 128)
  })

  test('weights come first, the arena after them; each program step knows its records', () => {
    const { program, weights } = imageProgram()
    const bound = planProgram(program, { symbols: { N: 2 }, weightsBaseBytes: 128 })
    expect(bound.weightsBaseBytes).toBe(128)
    expect(bound.arenaBaseBytes).toBe(alignUp(128 + weights.length))
    expect(bound.segment.memorySizeBytes).toBe(bound.arenaBaseBytes + bound.segment.arenaSizeBytes)
    expect(bound.inputs).toEqual([
      expect.objectContaining({ name: 'image', dtype: 'float32', shape: [2, 3, 8, 8], sizeBytes: 1536 }),
    ])
    const { firstRecords, records } = bound.segment
    const recordCount = records.length / recordWordCount
    const counts = program.steps.map(
      (_, s) => (firstRecords.get(s + 1) ?? recordCount) - (firstRecords.get(s) ?? 0),
    )
    expect(counts).toEqual([1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 1])
    expect(records.length).toBe(17 * recordWordCount)
    assertRecords(bound.segment.records, bound.segment.memorySizeBytes)
  })

  const { program } = imageProgram()
  test.each([
    ['a symbol that is not bound', {}, 'PROGRAM_SYMBOL_INVALID', 'symbols.N'],
    ['a symbol below 0', { N: -1 }, 'PROGRAM_SYMBOL_INVALID', 'symbols.N'],
    ['a symbol that does not exist', { N: 1, M: 1 }, 'PROGRAM_SYMBOL_INVALID', 'symbols.M'],
    ['a tensor beyond all bounds', { N: 2 ** 30 }, 'PROGRAM_TOO_LARGE', 'values[0]'],
    ['an arena beyond 4 GiB', { N: 1_000_000 }, 'PROGRAM_TOO_LARGE', 'memory'],
  ])('refuses %s', (_what, symbols: Record<string, number>, code, field) => {
    expect(() => planProgram(program, { symbols })).toThrow(expect.objectContaining({ code, field }))
  })

  test('checks the sizes of a program with symbols when it is bound', () => {
    const p = new ProgramBuilder()
    const n = p.symbol('N')
    const x = p.input('x', [n, 4])
    const y = p.step({ op: 'unary', input: x, output: p.arena([3, 4]), unary: 'abs', alpha: 0, beta: 0 })
    const built = p.output('y', y).build().program
    validateProgram(built)
    expect(planProgram(built, { symbols: { N: 3 } }).segment.outputs[0]?.shape).toEqual([3, 4])
    expect(() => planProgram(built, { symbols: { N: 4 } })).toThrow(
      expect.objectContaining({ code: 'PROGRAM_INVALID', field: 'steps[0].output', stepIndex: 0 }),
    )
  })
})
