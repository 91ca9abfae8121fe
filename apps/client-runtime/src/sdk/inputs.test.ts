// SPDX-License-Identifier: Apache-2.0
import type { Tensor, TensorSpec } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchInputs } from './inputs.ts'
import { tensorFromNpy } from './npy.ts'
import { tensorsFromJson } from './tensor-json.ts'

const code = (code: string, field?: string) =>
  expect.objectContaining(field === undefined ? { code } : { code, field })
const image: TensorSpec = { name: 'image', dtype: 'float32', shape: [1, 2] }
const zeros = (...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
})

describe('matchInputs', () => {
  test('takes a lone tensor, an object and a map, in the order of the signature', () => {
    const tensor = zeros(1, 2)
    expect([...matchInputs(tensor, [image])]).toEqual([['image', tensor]])
    expect([...matchInputs({ image: tensor }, [image])]).toEqual([['image', tensor]])
    const mask: TensorSpec = { name: 'mask', dtype: 'float32', shape: [3] }
    const both = matchInputs(
      new Map([
        ['mask', zeros(3)],
        ['image', tensor],
      ]),
      [image, mask],
    )
    expect([...both.keys()]).toEqual(['image', 'mask'])
  })

  test.each([
    ['a missing input', {}, 'image'],
    ['another name', { image: zeros(1, 2), extra: zeros(1) }, 'extra'],
    ['another size', { image: zeros(1, 3) }, 'image'],
    ['another rank', { image: zeros(2) }, 'image'],
    [
      'another dtype',
      { image: { dtype: 'int32', shape: [1, 2], data: new Int32Array(2) } as Tensor },
      'image',
    ],
  ])('refuses %s', (_what, inputs, field) => {
    expect(() => matchInputs(inputs, [image])).toThrow(code('CLIENT_INPUT_INVALID', field))
  })

  test('refuses data that contradicts its shape, and a lone tensor for two inputs', () => {
    const short = { ...zeros(1, 2), data: new Float32Array(1) }
    expect(() => matchInputs(short, [image])).toThrow(code('CONTRACT_TENSOR_INVALID'))
    expect(() => matchInputs(zeros(1, 2), [image, { ...image, name: 'b' }])).toThrow(
      code('CLIENT_INPUT_INVALID'),
    )
  })

  test('a named dimension is the same everywhere', () => {
    const specs: TensorSpec[] = [
      { name: 'a', dtype: 'float32', shape: ['N', 2] },
      { name: 'b', dtype: 'float32', shape: ['N'] },
    ]
    expect(matchInputs({ a: zeros(4, 2), b: zeros(4) }, specs).size).toBe(2)
    expect(() => matchInputs({ a: zeros(4, 2), b: zeros(3) }, specs)).toThrow(
      code('CLIENT_INPUT_INVALID', 'b'),
    )
    expect(() => matchInputs({ a: zeros(0, 2), b: zeros(0) }, specs)).toThrow(
      code('CLIENT_INPUT_INVALID', 'a'),
    )
  })
})

describe('tensorsFromJson', () => {
  test.each([
    ['nested arrays alone', '[[1, 2.5]]'],
    ['a flat tensor alone', '{"shape": [1, 2], "data": [1, 2.5]}'],
    ['by name', '{"image": [[1, 2.5]]}'],
    ['by name, flat', '{"image": {"shape": [1, 2], "data": [1, 2.5], "dtype": "float32"}}'],
  ])('reads %s', (_form, text) => {
    const expected = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2.5) }
    expect(tensorsFromJson(text, [image])).toEqual(new Map([['image', expected]]))
  })

  test('takes the dtype from the model, int64 exactly', () => {
    const ids: TensorSpec = { name: 'ids', dtype: 'int64', shape: [3] }
    const { data } = tensorsFromJson('[1, "9223372036854775807", -2]', [ids]).get('ids') ?? {}
    expect(data).toEqual(BigInt64Array.of(1n, 9223372036854775807n, -2n))
    const mask: TensorSpec = { name: 'mask', dtype: 'bool', shape: [2] }
    expect(tensorsFromJson('[true, 0]', [mask]).get('mask')?.data).toEqual(Uint8Array.of(1, 0))
  })

  test.each([
    ['no JSON', '{'],
    ['a number', '1'],
    ['nothing', '{}'],
    ['ragged arrays', '[[1, 2], [3]]'],
    ['ragged depth', '[[1], 2]'],
    ['text', '[["1", 2]]'],
    ['too few elements', '{"shape": [1, 2], "data": [1]}'],
    ['a shape of fractions', '{"shape": [1.5], "data": [1]}'],
    ['an unknown dtype', '{"shape": [1], "data": [1], "dtype": "float8"}'],
    ['too deep', '[[[[[[[[[1]]]]]]]]]'],
  ])('refuses %s', (_what, text) => {
    expect(() => tensorsFromJson(text, [image])).toThrow(code('CLIENT_INPUT_INVALID'))
  })

  test.each([
    ['uint8', '[256]'],
    ['int8', '[-129]'],
    ['int32', '[0.5]'],
    ['bool', '[2]'],
    ['int64', '[9007199254740993]'],
    ['int64', '["9223372036854775808"]'],
    ['float16', '[1]'],
  ] as const)('refuses what is no %s', (dtype, text) => {
    expect(() => tensorsFromJson(text, [{ name: 'x', dtype, shape: [1] }])).toThrow(
      code('CLIENT_INPUT_INVALID', 'x'),
    )
  })

  test('any text gives tensors or a coded error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          for (const tensor of tensorsFromJson(text, [image]).values())
            expect(tensor.data.length).toBeGreaterThan(-1)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CLIENT_INPUT_INVALID' })
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 100_000 : 300 },
    )
  })
})

/** As numpy.save writes it. */
function npy(descr: string, shape: string, data: ArrayBufferView, order = 'False'): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const start = Uint8Array.of(
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    header.length & 255,
    header.length >> 8,
  )
  return Buffer.concat([start, Buffer.from(header), new Uint8Array(data.buffer)])
}

describe('tensorFromNpy', () => {
  test.each([
    ['<f4', '(2, 1)', Float32Array.of(1.5, -2), 'float32', [2, 1]],
    ['<i8', '(1,)', BigInt64Array.of(-5n), 'int64', [1]],
    ['|u1', '()', Uint8Array.of(7), 'uint8', []],
    ['<i2', '(1,)', Int16Array.of(-300), 'int16', [1]],
    ['<u2', '(1,)', Uint16Array.of(60_000), 'uint16', [1]],
    ['<u4', '(1,)', Uint32Array.of(4_000_000_000), 'uint32', [1]],
    ['<u8', '(1,)', BigUint64Array.of(2n ** 64n - 1n), 'uint64', [1]],
    ['<f8', '(0, 3)', new Float64Array(0), 'float64', [0, 3]],
  ])('reads %s %s', (descr, shape, data, dtype, dimensions) => {
    expect(tensorFromNpy(npy(descr, shape, data))).toEqual({ dtype, shape: dimensions, data })
  })

  test.each([
    ['big-endian numbers', npy('>f4', '(1,)', new Float32Array(1))],
    ['objects', npy('|O', '(1,)', new Float32Array(1))],
    ['Fortran order', npy('<f4', '(1,)', new Float32Array(1), 'True')],
    ['too few elements', npy('<f4', '(2,)', new Float32Array(1))],
    ['too many elements', npy('<f4', '(2,)', new Float32Array(3))],
    ['a size beyond all measure', npy('<f4', '(999999999999999, 999999999999999)', new Float32Array(3))],
    ['nine dimensions', npy('<f4', '(1, 1, 1, 1, 1, 1, 1, 1, 1)', new Float32Array(1))],
    ['half a header', npy('<f4', '(1,)', new Float32Array(1)).subarray(0, 40)],
    ['another format', new Uint8Array(200)],
  ])('refuses %s', (_what, bytes) => {
    expect(() => tensorFromNpy(bytes)).toThrow(code('CLIENT_INPUT_INVALID'))
  })

  test('damaged files give a tensor or a coded error', () => {
    const whole = npy('<f4', '(2, 2)', new Float32Array(4))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, sizeBytes) => {
        const bytes = whole.slice(0, sizeBytes)
        bytes[at] = byte
        try {
          expect(tensorFromNpy(bytes).shape.length).toBeLessThan(9)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CLIENT_INPUT_INVALID' })
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 100_000 : 500 },
    )
  })
})
