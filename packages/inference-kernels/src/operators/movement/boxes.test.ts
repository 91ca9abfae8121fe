// SPDX-License-Identifier: Apache-2.0
// Transpose, Concat, Split, Slice, Expand, Tile, Pad: operators that copy boxes.

import { describe, expect, test } from 'vitest'
import { faultKind } from '../testing.ts'
import { counting, float32, int64, list, results, tensor, unknownDims } from './testing.ts'

const x = counting(2, 3)

describe('Transpose', () => {
  test('orders axes as told, or turns them around', () => {
    expect(results('Transpose', [x])).toEqual([
      [
        [3, 2],
        [0, 3, 1, 4, 2, 5],
      ],
    ])
    expect(results('Transpose', [counting(1, 2, 3)], { perm: [2, 0, 1] })).toEqual([
      [
        [3, 1, 2],
        [0, 3, 1, 4, 2, 5],
      ],
    ])
    expect(results('Transpose', [tensor('int64', [2, 2], [1, 2, 3, 4])])).toEqual([
      [
        [2, 2],
        [1, 3, 2, 4],
      ],
    ])
    expect(results('Transpose', [counting()])).toEqual([[[], [0]]])
    expect(results('Transpose', [counting(0, 3)])).toEqual([[[3, 0], []]])
  })

  test('copies long rows whole', () => {
    const [[dims, elements] = []] = results('Transpose', [counting(2, 3, 40)], { perm: [1, 0, 2] })
    expect(dims).toEqual([3, 2, 40])
    expect(elements?.slice(38, 42)).toEqual([38, 39, 120, 121])
  })

  test('refuses what is not a permutation', () => {
    expect(faultKind('Transpose', [x], { perm: [0, 0] })).toBe('mismatch')
    expect(faultKind('Transpose', [x], { perm: [0] })).toBe('mismatch')
    expect(faultKind('Transpose', [x], { perm: [0, 2] })).toBe('mismatch')
  })
})

describe('Concat', () => {
  test('joins along an axis, also nothing', () => {
    expect(results('Concat', [x, counting(2, 1)], { axis: -1 })).toEqual([
      [
        [2, 4],
        [0, 1, 2, 0, 3, 4, 5, 1],
      ],
    ])
    expect(results('Concat', [counting(0, 3), x], { axis: 0 })).toEqual([
      [
        [2, 3],
        [0, 1, 2, 3, 4, 5],
      ],
    ])
    expect(results('Concat', [list(5)], { axis: 0 })).toEqual([[[1], [5]]])
  })

  test('refuses operands that do not fit', () => {
    expect(faultKind('Concat', [x, counting(3, 3)], { axis: 1 })).toBe('mismatch')
    expect(faultKind('Concat', [x, counting(3)], { axis: 0 })).toBe('mismatch')
    expect(faultKind('Concat', [x, int64([2, 3], [0, 0, 0, 0, 0, 0])])).toBe('mismatch')
    expect(faultKind('Concat', [counting(), counting()])).toBe('mismatch')
  })
})

describe('Split', () => {
  const seven = counting(7)

  test('makes equal parts, the last ones smaller', () => {
    expect(results('Split', [seven], { num_outputs: 3 }, 3)).toEqual([
      [[3], [0, 1, 2]],
      [[3], [3, 4, 5]],
      [[1], [6]],
    ])
    expect(results('Split', [counting(4)], { num_outputs: 3 }, 3).map(([dims]) => dims)).toEqual([
      [2],
      [2],
      [0],
    ])
    expect(results('Split', [counting(4)], {}, 2).map(([dims]) => dims)).toEqual([[2], [2]])
  })

  test('makes parts of given sizes', () => {
    expect(results('Split', [x, list(1, 0, 2)], { axis: 1 }, 3)).toEqual([
      [
        [2, 1],
        [0, 3],
      ],
      [[2, 0], []],
      [
        [2, 2],
        [1, 2, 4, 5],
      ],
    ])
    expect(unknownDims('Split', [x, list(1, 2)], [1], { axis: 1 }, 2)).toEqual([
      [2, null],
      [2, null],
    ])
  })

  test('refuses sizes that do not add up', () => {
    expect(faultKind('Split', [counting(5)], { num_outputs: 4 }, 4)).toBe('mismatch')
    expect(faultKind('Split', [seven], {}, 3)).toBe('mismatch')
    expect(faultKind('Split', [seven, list(3, 3)], {}, 2)).toBe('mismatch')
    expect(faultKind('Split', [seven, list(8, -1)], {}, 2)).toBe('value')
    expect(faultKind('Split', [seven, list(3, 4)], {}, 1)).toBe('mismatch')
    expect(faultKind('Split', [seven], { num_outputs: 2 ** 31 - 1 }, 2)).toBe('mismatch')
    expect(faultKind('Split', [seven], { num_outputs: -1 }, 2)).toBe('mismatch')
  })
})

describe('Slice', () => {
  const ten = counting(10)
  const last = 2 ** 62

  test.each<[string, number[], number[], number[], number[]]>([
    ['2:5', [2], [5], [1], [2, 3, 4]],
    ['-3:', [-3], [last], [1], [7, 8, 9]],
    [':-8', [0], [-8], [1], [0, 1]],
    ['::4', [0], [10], [4], [0, 4, 8]],
    ['::-1', [-1], [-last], [-1], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    ['8:2:-3', [8], [2], [-3], [8, 5]],
    ['20:0:-5', [20], [0], [-5], [9, 4]],
    ['-20:3', [-20], [3], [1], [0, 1, 2]],
    ['-20::-3, whose start is held within the dimension', [-20], [-last], [-3], [0]],
    ['-11:0:-1', [-11], [0], [-1], []],
    ['5:2', [5], [2], [1], []],
    ['12:15', [12], [15], [1], []],
    ['with a step beyond the end', [1], [10], [last], [1]],
  ])('%s', (_what, starts, ends, steps, expected) => {
    expect(results('Slice', [ten, list(...starts), list(...ends), list(0), list(...steps)])).toEqual([
      [[expected.length], expected],
    ])
  })

  test('takes the first axes where none are named', () => {
    expect(results('Slice', [x, list(1), list(2)])).toEqual([
      [
        [1, 3],
        [3, 4, 5],
      ],
    ])
    expect(results('Slice', [x, list(1, 1), list(3, 0), list(-1, 0), list(1, -1)])).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
    ])
    expect(results('Slice', [counting(0), list(0), list(5)])).toEqual([[[0], []]])
    expect(results('Slice', [counting(0), list(-1), list(-5), list(0), list(-1)])).toEqual([[[0], []]])
  })

  test('knows the dims of axes that are not cut', () => {
    expect(unknownDims('Slice', [x, list(0), list(1), list(1)], [1])).toEqual([[2, null]])
    expect(unknownDims('Slice', [x, list(0), list(1), list(1)], [3])).toEqual([[null, null]])
  })

  test('refuses lists that do not go together, and a step of 0', () => {
    expect(faultKind('Slice', [x, list(0), list(1, 1)])).toBe('mismatch')
    expect(faultKind('Slice', [x, list(0, 0), list(1, 1), list(0, -2)])).toBe('mismatch')
    expect(faultKind('Slice', [x, list(0), list(1), list(2)])).toBe('mismatch')
    expect(faultKind('Slice', [x, list(0), list(1), list(0), list(0)])).toBe('value')
  })
})

describe('Expand', () => {
  test('broadcasts both ways', () => {
    expect(results('Expand', [counting(2, 1), list(3, 1, 2)])).toEqual([
      [
        [3, 2, 2],
        [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1],
      ],
    ])
    expect(results('Expand', [x, list(1)])).toEqual([
      [
        [2, 3],
        [0, 1, 2, 3, 4, 5],
      ],
    ])
    expect(results('Expand', [float32([], [7]), list(2)])).toEqual([[[2], [7, 7]]])
    expect(results('Expand', [float32([], [7]), list()])).toEqual([[[], [7]]])
    expect(results('Expand', [counting(1), list(0)])).toEqual([[[0], []]])
    expect(results('Expand', [float32([1], [7]), list(30)])[0]?.[1]).toEqual(new Array(30).fill(7))
    expect(unknownDims('Expand', [counting(2, 1), list(1, 1, 1)], [1])).toEqual([[null, 2, null]])
  })

  test('refuses dims that do not broadcast', () => {
    expect(faultKind('Expand', [x, list(2)])).toBe('mismatch')
    expect(faultKind('Expand', [x, list(-1)])).toBe('value')
  })
})

describe('Tile', () => {
  test('repeats along each dimension', () => {
    expect(results('Tile', [counting(1, 2), list(2, 2)])).toEqual([
      [
        [2, 4],
        [0, 1, 0, 1, 0, 1, 0, 1],
      ],
    ])
    expect(results('Tile', [x, list(0, 1)])).toEqual([[[0, 3], []]])
    expect(results('Tile', [counting(0), list(3)])).toEqual([[[0], []]])
    expect(results('Tile', [counting(), list()])).toEqual([[[], [0]]])
    expect(unknownDims('Tile', [x, list(1, 1)], [1])).toEqual([[null, null]])
  })

  test('refuses repeats that do not fit', () => {
    expect(faultKind('Tile', [x, list(2)])).toBe('mismatch')
    expect(faultKind('Tile', [x, list(2, -1)])).toBe('value')
  })
})

describe('Pad', () => {
  const three = counting(3)

  test.each<[string, readonly number[]]>([
    ['constant', [0, 0, 0, 1, 2, 0]],
    ['edge', [0, 0, 0, 1, 2, 2]],
    ['reflect', [2, 1, 0, 1, 2, 1]],
    ['wrap', [1, 2, 0, 1, 2, 0]],
  ])('with mode %s', (mode, expected) => {
    expect(results('Pad', [three, list(2, 1)], { mode })).toEqual([[[6], expected]])
  })

  test('goes back and forth as often as needed', () => {
    expect(results('Pad', [counting(2), list(3, 2)], { mode: 'reflect' })).toEqual([
      [[7], [1, 0, 1, 0, 1, 0, 1]],
    ])
    expect(results('Pad', [float32([1], [5]), list(1, 2)], { mode: 'reflect' })).toEqual([
      [[4], [5, 5, 5, 5]],
    ])
  })

  test('takes a value, axes and negative pads', () => {
    expect(results('Pad', [x, list(1, 0), float32([], [9]), list(-1)])).toEqual([
      [
        [2, 4],
        [9, 0, 1, 2, 9, 3, 4, 5],
      ],
    ])
    expect(results('Pad', [three, list(-1, 1)])).toEqual([[[3], [1, 2, 0]]])
    expect(results('Pad', [three, list(-1, 2)], { mode: 'edge' })).toEqual([[[4], [1, 2, 2, 2]]])
    expect(results('Pad', [three, list(-2, -1)])).toEqual([[[0], []]])
    expect(results('Pad', [int64([2], [1, 2]), list(0, 1)])).toEqual([[[3], [1, 2, 0]]])
    expect(results('Pad', [int64([2], [1, 2]), list(-1, -1)])).toEqual([[[0], []]])
    expect(results('Pad', [counting(), list()])).toEqual([[[], [0]]])
    expect(results('Pad', [counting(), list()], { mode: 'edge' })).toEqual([[[], [0]]])
    expect(results('Pad', [x, list(0, 1, 1, 0)], { mode: 'edge' })).toEqual([
      [
        [3, 4],
        [0, 0, 1, 2, 3, 3, 4, 5, 3, 3, 4, 5],
      ],
    ])
  })

  test('knows the dims of axes that are not padded', () => {
    expect(unknownDims('Pad', [x, list(1, 1), null, list(1)], [1])).toEqual([[2, null]])
    expect(unknownDims('Pad', [x, list(1, 1), null, list(1)], [3])).toEqual([[null, null]])
  })

  test('refuses pads that do not fit', () => {
    expect(faultKind('Pad', [x, list(1, 1)])).toBe('mismatch')
    expect(faultKind('Pad', [three, list(-2, -2)])).toBe('mismatch')
    expect(faultKind('Pad', [counting(0), list(1, 0)], { mode: 'edge' })).toBe('mismatch')
    expect(faultKind('Pad', [three, list(1, 1), int64([], [0])])).toBe('mismatch')
    expect(faultKind('Pad', [three, list(1, 1), counting(2)])).toBe('mismatch')
    expect(faultKind('Pad', [three, list(1, 1), null, list(1)])).toBe('mismatch')
  })
})

test('CenterCropPad cuts and pads at both ends, one more at the far one', () => {
  expect(results('CenterCropPad', [counting(5), list(2)])).toEqual([[[2], [1, 2]]])
  expect(results('CenterCropPad', [float32([2], [7, 8]), list(5)])).toEqual([[[5], [0, 7, 8, 0, 0]]])
  expect(results('CenterCropPad', [x, list(1)], { axes: [-1] })).toEqual([
    [
      [2, 1],
      [1, 4],
    ],
  ])
  expect(unknownDims('CenterCropPad', [x, list(1)], [1], { axes: [0] })).toEqual([[null, 3]])
  expect(faultKind('CenterCropPad', [x, list(1)])).toBe('mismatch')
  expect(faultKind('CenterCropPad', [x, list(1, -1)])).toBe('value')
})

describe('DepthToSpace and SpaceToDepth', () => {
  const image = counting(1, 8, 1, 1)

  test('order channels and blocks', () => {
    expect(results('DepthToSpace', [image], { blocksize: 2 })).toEqual([
      [
        [1, 2, 2, 2],
        [0, 2, 4, 6, 1, 3, 5, 7],
      ],
    ])
    expect(results('DepthToSpace', [image], { blocksize: 2, mode: 'CRD' })).toEqual([
      [
        [1, 2, 2, 2],
        [0, 1, 2, 3, 4, 5, 6, 7],
      ],
    ])
    expect(results('SpaceToDepth', [counting(1, 2, 2, 2)], { blocksize: 2 })).toEqual([
      [
        [1, 8, 1, 1],
        [0, 4, 1, 5, 2, 6, 3, 7],
      ],
    ])
  })

  test('refuse what does not divide', () => {
    expect(faultKind('DepthToSpace', [counting(1, 6, 1, 1)], { blocksize: 2 })).toBe('mismatch')
    expect(faultKind('SpaceToDepth', [counting(1, 1, 3, 2)], { blocksize: 2 })).toBe('mismatch')
    expect(faultKind('DepthToSpace', [image])).toBe('mismatch')
    expect(faultKind('SpaceToDepth', [x], { blocksize: 1 })).toBe('mismatch')
  })
})

describe('ReverseSequence', () => {
  test('turns each sequence around up to its length', () => {
    expect(results('ReverseSequence', [counting(3, 2), list(2, 3)])).toEqual([
      [
        [3, 2],
        [2, 5, 0, 3, 4, 1],
      ],
    ])
    expect(results('ReverseSequence', [x, list(1, 3)], { batch_axis: 0, time_axis: 1 })).toEqual([
      [
        [2, 3],
        [0, 1, 2, 5, 4, 3],
      ],
    ])
    expect(results('ReverseSequence', [counting(0, 2), list(0, 0)])).toEqual([[[0, 2], []]])
  })

  test('refuses lengths that do not fit', () => {
    expect(faultKind('ReverseSequence', [counting(3, 2), list(2, 4)])).toBe('value')
    expect(faultKind('ReverseSequence', [counting(3, 2), list(2, -1)])).toBe('value')
    expect(faultKind('ReverseSequence', [counting(3, 2), list(2)])).toBe('mismatch')
    expect(faultKind('ReverseSequence', [counting(3, 2), list(2, 2)], { batch_axis: 0 })).toBe('mismatch')
  })
})
