// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { bytesProgram } from '../testing/bytes-program.ts'
import { ProgramBuilder } from '../testing/program-builder.ts'
import {
  branchProgram,
  compactProgram,
  denseProgram,
  imageProgram,
  sequenceProgram,
} from '../testing/sample-programs.ts'
import { decodeProgram } from './decode.ts'
import { encodeProgram } from './encode.ts'
import { programLimits } from './limits.ts'
import { stepSchemas } from './step-schema.ts'
import type { Program, ProgramStep, ProgramValue } from './types.ts'
import { validateProgram } from './validate.ts'

const fails = (code: string, field?: string) =>
  expect.objectContaining(field === undefined ? { code } : { code, field })

/** The program with one value or step changed. */
function withValue(program: Program, index: number, change: Partial<ProgramValue>): Program {
  const values = program.values.with(index, { ...(program.values[index] as ProgramValue), ...change })
  return { ...program, values }
}
function withStep(program: Program, index: number, change: object): Program {
  const steps = program.steps.with(index, {
    ...(program.steps[index] as ProgramStep),
    ...change,
  } as ProgramStep)
  return { ...program, steps }
}

describe('the binary format', () => {
  test('the samples use every op, so the round trip below covers them all', () => {
    const programs = [imageProgram(), branchProgram(), bytesProgram()]
    const used = new Set(programs.flatMap(({ program }) => program.steps.map((step) => step.op)))
    expect([...used].sort()).toEqual(Object.keys(stepSchemas).sort())
  })

  test.each([
    imageProgram(),
    denseProgram(),
    branchProgram(),
    sequenceProgram(),
    compactProgram(),
    bytesProgram(),
  ])('decodes to the program that was encoded', ({ program }) => {
    const bytes = encodeProgram(program)
    expect(decodeProgram(bytes)).toEqual(program)
    expect(encodeProgram(decodeProgram(bytes))).toEqual(bytes)
  })

  test('a step without scales is written without a word for them', () => {
    const { program } = denseProgram()
    const bytes = encodeProgram(program)
    const written = decodeProgram(bytes).steps.map((step) => 'scales' in step)
    expect(written).not.toContain(true)
    const scales = encodeProgram(compactProgram().program)
    expect(decodeProgram(scales).steps.filter((step) => 'scales' in step)).toHaveLength(1)
  })

  test.each([
    [{ quantization: { scale: 1, zero: 256, low: 0, high: 255 } }, 'quantization.zero'],
    [{ quantization: { scale: 1, zero: 0, low: -1, high: 255 } }, 'quantization.low'],
    [{ quantization: { scale: 1, zero: 0, low: 9, high: 8 } }, 'quantization.high'],
    [{ quantization: { scale: Number.NaN, zero: 0, low: 0, high: 8 } }, 'quantization.scale'],
    [{ inputZero: 256 }, 'inputZero'],
    [{ residualZero: -1 }, 'residualZero'],
    [{ weights: 0 }, 'weights'],
  ])('a convolution of bytes with %j is refused', (change, field) => {
    const { program } = bytesProgram()
    const at = program.steps.findIndex(({ op }) => op === 'quantizedConv2d')
    const refusal = fails('PROGRAM_INVALID', `steps[${at}].${field}`)
    expect(() => validateProgram(withStep(program, at, change))).toThrow(refusal)
  })

  test('holds other dtypes, aliases and names beyond ASCII', () => {
    const p = new ProgramBuilder()
    const ids = p.input('Eingänge ✓', [2, 3], 'int64')
    const turned = p.step({
      op: 'transpose',
      input: ids,
      output: p.arena([3, 2], { dtype: 'int64' }),
      permutation: [1, 0],
    })
    const { program } = p.output('o', p.alias(turned, [6])).build()
    expect(decodeProgram(encodeProgram(program))).toEqual(program)
  })

  test('starts with magic and version, and is refused with others', () => {
    const bytes = encodeProgram(denseProgram().program)
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('MLCP')
    expect(bytes[4]).toBe(1)
    expect(() => decodeProgram(bytes.with(0, 0))).toThrow(fails('PROGRAM_MALFORMED', 'magic'))
    expect(() => decodeProgram(bytes.with(4, 2))).toThrow(fails('PROGRAM_VERSION_UNSUPPORTED', 'version'))
  })

  test('every truncation and every trailing byte is refused', () => {
    const bytes = encodeProgram(denseProgram().program)
    for (let size = 0; size < bytes.length; size++) {
      expect(() => decodeProgram(bytes.subarray(0, size))).toThrow(fails('PROGRAM_MALFORMED'))
    }
    const longer = new Uint8Array(bytes.length + 4)
    longer.set(bytes)
    expect(() => decodeProgram(longer)).toThrow(fails('PROGRAM_MALFORMED', 'sizeBytes'))
  })

  test('more bytes than a program may have are refused as such', () => {
    const bytes = new Uint8Array(programLimits.programSizeBytes + 4)
    bytes.set(encodeProgram(denseProgram().program))
    expect(() => decodeProgram(bytes)).toThrow(fails('PROGRAM_LIMIT_EXCEEDED', 'program'))
  })

  test('a count that the bytes cannot hold is refused before it is believed', () => {
    const bytes = encodeProgram(denseProgram().program)
    const lying = bytes.slice()
    new DataView(lying.buffer).setUint32(20, programLimits.valueCount, true)
    expect(() => decodeProgram(lying)).toThrow(fails('PROGRAM_MALFORMED', 'sizeBytes'))
    new DataView(lying.buffer).setUint32(20, 0xffffffff, true)
    expect(() => decodeProgram(lying)).toThrow(fails('PROGRAM_LIMIT_EXCEEDED', 'valueCount'))
  })
})

describe('validateProgram', () => {
  const dense = denseProgram().program
  const image = imageProgram().program
  const sequence = sequenceProgram().program
  const compact = compactProgram().program
  const withState = (state: { input?: number; output?: number }) => ({
    ...sequence,
    states: [{ input: 1, output: 3, ...state }, sequence.states[1] as { input: number; output: number }],
  })

  const cases: [string, Program, string, string][] = [
    ['an operand out of range', withStep(dense, 1, { input: 99 }), 'PROGRAM_INVALID', 'steps[1].input'],
    [
      'an operand that is written later',
      withStep(dense, 0, { input: 3 }),
      'PROGRAM_INVALID',
      'steps[0].input',
    ],
    [
      'an output that is written twice',
      withStep(dense, 1, { output: 3 }),
      'PROGRAM_INVALID',
      'steps[1].output',
    ],
    ['an output in the weights', withStep(dense, 1, { output: 2 }), 'PROGRAM_INVALID', 'steps[1].output'],
    ['an op that does not exist', withStep(dense, 0, { op: 'toString' }), 'PROGRAM_INVALID', 'steps[0].op'],
    ['a stride of 0', withStep(image, 1, { strides: [0, 1] }), 'PROGRAM_INVALID', 'steps[1].strides[0]'],
    ['a negative pad', withStep(image, 1, { pads: [0, -1, 0, 0] }), 'PROGRAM_INVALID', 'steps[1].pads[1]'],
    [
      'an activation that does not exist',
      withStep(dense, 0, { activation: { kind: 'x', alpha: 0, beta: 0 } }),
      'PROGRAM_INVALID',
      'steps[0].activation.kind',
    ],
    [
      'a NaN',
      withStep(dense, 0, { activation: { kind: 'none', alpha: Number.NaN, beta: 0 } }),
      'PROGRAM_INVALID',
      'steps[0].activation.alpha',
    ],
    [
      'an input in another layout',
      withValue(image, 0, { layout: 'nhwc' }),
      'PROGRAM_INVALID',
      'inputs[0].value',
    ],
    [
      'a convolution over row-major',
      withValue(image, 1, { layout: 'row-major' }),
      'PROGRAM_INVALID',
      'steps[1].input',
    ],
    [
      'a dtype that a kernel lacks',
      withValue(dense, 0, { dtype: 'int32' }),
      'PROGRAM_INVALID',
      'steps[0].input',
    ],
    ['a negative dimension', withValue(dense, 0, { dims: [-1, 4] }), 'PROGRAM_INVALID', 'values[0].dims[0]'],
    ['an absurd size', withValue(dense, 0, { dims: [65536, 65536] }), 'PROGRAM_INVALID', 'values[0].dims'],
    [
      'a symbol that does not exist',
      withValue(image, 0, { dims: [{ symbol: 1 }, 3, 8, 8] }),
      'PROGRAM_INVALID',
      'values[0].dims[0].symbol',
    ],
    [
      'weights that are not aligned',
      withValue(dense, 2, { storage: { kind: 'weights', offsetBytes: 4, sizeBytes: 80 } }),
      'PROGRAM_INVALID',
      'values[2].storage.offsetBytes',
    ],
    [
      'weights beyond the end',
      withValue(dense, 2, { storage: { kind: 'weights', offsetBytes: 1 << 20, sizeBytes: 80 } }),
      'PROGRAM_INVALID',
      'values[2].storage.offsetBytes',
    ],
    [
      'weights of another size',
      withValue(dense, 2, { storage: { kind: 'weights', offsetBytes: 512, sizeBytes: 84 } }),
      'PROGRAM_INVALID',
      'values[2].storage.sizeBytes',
    ],
    [
      'an alias of itself',
      withValue(dense, 3, { storage: { kind: 'alias', of: 3 } }),
      'PROGRAM_INVALID',
      'values[3].storage.of',
    ],
    ['sizes that do not fit', withValue(dense, 0, { dims: [1, 5] }), 'PROGRAM_INVALID', 'steps[0].input'],
    ['a bias of another length', withValue(dense, 2, { dims: [4, 5] }), 'PROGRAM_INVALID', 'steps[0].bias'],
    [
      'two inputs of one name',
      { ...dense, inputs: [...dense.inputs, ...dense.inputs] },
      'PROGRAM_INVALID',
      'inputs[1]',
    ],
    ['a state that is an input', withState({ input: 0 }), 'PROGRAM_INVALID', 'states[0].input'],
    ['a state that two share', withState({ input: 2 }), 'PROGRAM_INVALID', 'states[1].input'],
    ['a state that a step writes', withState({ input: 3 }), 'PROGRAM_INVALID', 'steps[0].inputs[0]'],
    ['a state that does not exist', withState({ output: 99 }), 'PROGRAM_INVALID', 'states[0].output'],
    [
      'a state of another dtype',
      withValue(sequence, 1, { dtype: 'int32' }),
      'PROGRAM_INVALID',
      'states[0].output',
    ],
    ['a state of another rank', withValue(sequence, 1, { dims: [2] }), 'PROGRAM_INVALID', 'states[0].output'],
    [
      'a state of another size',
      withValue(sequence, 1, { dims: [1, 3] }),
      'PROGRAM_INVALID',
      'states[0].output',
    ],
    [
      'a state of unknown size',
      withValue(sequence, 1, { dims: [null, 2] }),
      'PROGRAM_INVALID',
      'states[0].input',
    ],
    [
      'too many states',
      { ...sequence, states: Array(programLimits.stateCount + 1).fill(sequence.states[0]) },
      'PROGRAM_LIMIT_EXCEEDED',
      'states',
    ],
    [
      'int8 weights without scales',
      withStep(compact, 1, { scales: undefined }),
      'PROGRAM_INVALID',
      'steps[1].scales',
    ],
    ['scales of other weights', withStep(compact, 2, { scales: 4 }), 'PROGRAM_INVALID', 'steps[2].scales'],
    [
      'scales of another length',
      withValue(compact, 4, { dims: [4, 5] }),
      'PROGRAM_INVALID',
      'steps[1].scales',
    ],
    [
      'weights of a dtype that panels lack',
      withValue(compact, 2, { dtype: 'uint8' }),
      'PROGRAM_INVALID',
      'values[2].dtype',
    ],
    [
      'packed bytes of another dtype',
      withValue(compact, 6, { dtype: 'float32' }),
      'PROGRAM_INVALID',
      'values[6].storage.sizeBytes',
    ],
    ['no outputs', { ...dense, outputs: [] }, 'PROGRAM_INVALID', 'outputs'],
    [
      'an output that nothing writes',
      withStep(dense, 1, { output: 3, input: 0 }),
      'PROGRAM_INVALID',
      'steps[1].output',
    ],
    [
      'too many steps',
      { ...dense, steps: Array(programLimits.stepCount + 1).fill(dense.steps[0]) },
      'PROGRAM_LIMIT_EXCEEDED',
      'steps',
    ],
  ]
  test.each(cases)('refuses %s and names it', (_what, program, code, field) => {
    expect(() => validateProgram(program)).toThrow(fails(code, field))
    expect(() => encodeProgram(program)).toThrow(fails(code, field))
  })

  test('a fault in a step carries its index', () => {
    expect(() => validateProgram(withStep(dense, 1, { input: 99 }))).toThrow(
      expect.objectContaining({ stepIndex: 1 }),
    )
  })

  test('a long chain of aliases is followed; a circle is found', () => {
    const p = new ProgramBuilder()
    let value = p.input('x', [4])
    for (let i = 0; i < 10_000; i++) value = p.alias(value, [4])
    const { program } = p.output('y', value).build()
    expect(() => validateProgram(program)).not.toThrow()
    const circle = withValue(program, 1, { storage: { kind: 'alias', of: 10_000 } })
    expect(() => validateProgram(circle)).toThrow(fails('PROGRAM_INVALID', 'values[1].storage.of'))
  })
})
