// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { styled } from '@mlcapsule/terminal'
import { expect, test } from 'vitest'
import { answerJson, answerText, type ShownAnswer } from './answer-text.ts'

const style = styled({ write: () => true }, {})

function answerOf(y: Tensor): ShownAnswer {
  const inference = { verdict: 'pass', outputs: new Map([['y', y]]), units: 1, unitsLeft: 3 } as const
  return { input: 'in/a.npy', inference, classes: undefined }
}

test.each<[Tensor, (number | string)[], string]>([
  [{ dtype: 'float32', shape: [2], data: Float32Array.of(0.25, -3) }, [0.25, -3], '0.25000, -3'],
  [
    { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 62n) },
    ['4611686018427387904'],
    '4611686018427387904',
  ],
  // 1.5, −2, the smallest subnormal number and the largest number of half precision.
  [
    { dtype: 'float16', shape: [4], data: Uint16Array.of(0x3e00, 0xc000, 0x0001, 0x7bff) },
    [1.5, -2, 2 ** -24, 65_504],
    '1.5000, -2, 5.9605e-8, 65504',
  ],
])('outputs of %o are shown as numbers', (y, numbers, text) => {
  const { dtype, shape } = y
  expect(answerJson(answerOf(y))).toMatchObject({ outputs: { y: { dtype, shape, data: numbers } } })
  expect(answerText(style, answerOf(y), 5)).toBe(`a.npy  y  ${dtype}[${shape.join(', ')}]  ${text}`)
})
