// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { parseEinsum } from './einsum-equation.ts'

const [A, a, b, i, j] = ['A', 'a', 'b', 'i', 'j'].map((letter) => letter.charCodeAt(0))

test.each([
  [
    'ij,jb->ib',
    [2, 2],
    [
      [i, j],
      [j, b],
    ],
    [i, b],
  ],
  [' i j -> j i ', [2], [[i, j]], [j, i]],
  ['ij->', [2], [[i, j]], []],
  ['ij,j', [2, 1], [[i, j], [j]], [i]],
  ['ba', [2], [[b, a]], [a, b]],
  ['aA', [2], [[a, A]], [A, a]],
  ['ii', [2], [[i, i]], []],
  [',->', [0, 0], [[], []], []],
  ['...ii->...i', [4], [[129, 128, i, i]], [129, 128, i]],
  [
    '...i,j...',
    [3, 2],
    [
      [129, 128, i],
      [j, 128],
    ],
    [129, 128, i, j],
  ],
  ['i...->i...', [1], [[i]], [i]],
])('%s', (equation, ranks, operands, output) =>
  expect(parseEinsum(equation, ranks)).toEqual({ operands, output }),
)

test.each([
  ['one operand too few', 'ij', [2, 2]],
  ['a rank that is too small', 'ij->i', [1]],
  ['a rank that is too large', 'ij->i', [3]],
  ['an unknown letter', 'ij->k', [2]],
  ['a letter twice in the result', 'ij->ii', [2]],
  ['two arrows', 'i->i->i', [1]],
  ['other signs', 'i1->i', [2]],
  ['two dots', '..i->i', [2]],
  ['an ellipsis that the result leaves out', '...i->i', [2]],
  ['nothing', '', [1]],
  ['a million letters and a digit', `${'a'.repeat(1_000_000)}1`, [2]],
])('refuses %s', (_, equation, ranks) => expect(parseEinsum(equation, ranks)).toBe(null))
