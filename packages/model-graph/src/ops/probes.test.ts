// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { type AttributeValue, completeAttributes, operatorOf } from '@mlcapsule/inference-kernels/program'
import { describe, expect, test, vi } from 'vitest'
import { inlineConstant } from '../graph/constant.ts'
import type { Dim, Value } from '../graph/graph.ts'
import { Probes } from './probes.ts'
import { UnsupportedNode } from './unsupported.ts'

const value = (dims: readonly Dim[], dtype: DType = 'float32'): Value => ({
  name: 'v',
  dtype,
  dims,
  constant: null,
})

/** Probes with symbols, and values that carry what calls have found. */
function setup(...symbols: readonly string[]) {
  const probes = new Probes()
  for (const name of symbols) probes.addSymbol(name)
  const call = (
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    outputCount = 1,
  ): Value[] => {
    const operator = operatorOf(name)
    if (operator === undefined) throw new TypeError(name)
    const complete = completeAttributes(operator, attributes)
    return probes
      .call({ operator, inputs, attributes: complete, outputCount, origin: `${name} node` })
      .map(({ dtype, dims, contents }) => {
        const result = value(dims, dtype)
        if (contents !== null) probes.setContents(result, contents)
        return result
      })
  }
  const constant = (dims: readonly number[], data: TensorData, dtype: DType = 'int64'): Value => {
    const result: Value = { ...value(dims, dtype), constant: inlineConstant(dtype, dims, data) }
    probes.setContents(result, data)
    return result
  }
  const ints = (...list: readonly number[]) => constant([list.length], BigInt64Array.from(list, BigInt))
  const shapeOf = (it: Value, axis: number) => call('Shape', [it], { start: axis, end: axis + 1 })[0] as Value
  return { probes, call, ints, constant, shapeOf }
}

const one = (values: readonly Value[]) => values[0] as Value

describe('dims', () => {
  test('follow symbols, numbers, and names for what is neither', () => {
    const { call } = setup('n', 'm')
    const x = value(['n', 3, 'm'])
    expect(one(call('Transpose', [x], { perm: [2, 0, 1] })).dims).toEqual(['m', 'n', 3])
    const doubled = one(call('Concat', [x, x], { axis: 0 }))
    expect(doubled.dims).toEqual(['?1', 3, 'm'])
    // The same size has the same name again.
    expect(one(call('Concat', [x, x], { axis: 0 })).dims).toEqual(['?1', 3, 'm'])
    expect(one(call('Concat', [doubled, doubled], { axis: 1 })).dims).toEqual(['?1', 6, 'm'])
  })

  test('that depend on elements have a name of their own each', () => {
    const { call } = setup('n')
    const places = () => one(call('NonZero', [value(['n', 2])])).dims
    expect(places()).toEqual([2, '?1'])
    expect(places()).toEqual([2, '?2'])
  })

  test('are numbers where there are no symbols, unless they depend on elements', () => {
    const { call, ints } = setup()
    const x = value([2, 3])
    expect(one(call('Concat', [x, x], { axis: 1 })).dims).toEqual([2, 6])
    expect(one(call('NonZero', [x])).dims).toEqual([2, '?1'])
    expect(one(call('Reshape', [x, ints(3, -1)])).dims).toEqual([3, 2])
  })

  test('whose number depends on sizes make the node unsupported', () => {
    const { call } = setup('n')
    expect(() => call('Squeeze', [value(['n', 4])])).toThrow(UnsupportedNode)
    expect(() => call('Squeeze', [value(['n', 4])])).toThrow('number of dimensions')
  })

  test('a symbol that is named twice is one', () => {
    const { probes, call } = setup('n')
    probes.addSymbol('n')
    expect(one(call('Identity', [value(['n'])])).dims).toEqual(['n'])
  })

  test('a name that nobody has given is a fault of ours', () => {
    const { call } = setup('n')
    expect(() => call('Identity', [value(['m'])])).toThrow(TypeError)
  })
})

describe('trials that are given up', () => {
  test('two names for what has to be one size are told from a third', () => {
    const { call } = setup('n', 'm', 'k', 'l')
    const product = one(call('MatMul', [value(['n', 'm']), value(['k', 'l'])]))
    expect(product.dims).toEqual(['n', 'l'])
    expect(one(call('Identity', [value(['m'])])).dims).toEqual(['m'])
    expect(one(call('Identity', [value(['k'])])).dims).toEqual(['k'])
  })

  test('where one name is as likely as another none is claimed', () => {
    const { call } = setup('n', 'm')
    // Only where both are 1 or equal do these go together: the result may be either.
    expect(one(call('Add', [value(['n']), value(['m'])])).dims).toEqual(['?1'])
  })

  test('too few that are left claim nothing: the engine works all of it out', () => {
    const { call } = setup('n', 'c')
    // Of all trials one has an 8 for c.
    const joined = call('Concat', [value([8, 2]), value(['c', 2])], { axis: 1 })
    expect(one(joined).dims).toEqual(['?1', '?2'])
    expect(one(call('Identity', [value(['n', 3])])).dims).toEqual(['?3', '?4'])
  })

  test('none is for a dimension that only a query tells: it may be what it has to be', () => {
    const { call } = setup('n')
    const places = one(call('Cast', [one(call('NonZero', [value(['n'])]))], { to: 'float32' }))
    const chosen = one(call('Transpose', [places], { perm: [1, 0] }))
    expect(chosen.dims).toEqual(['?1', 1])
    const square = one(call('MatMul', [chosen, value([1, 3])]))
    expect(square.dims).toEqual(['?1', 3])
    // ?1 has to be 6.
    expect(one(call('MatMul', [value(['n', 6]), square])).dims).toEqual(['?2', '?3'])
    expect(
      one(call('Add', [value(['n', 6]), one(call('Transpose', [square], { perm: [1, 0] }))])).dims.length,
    ).toBe(2)
    expect(one(call('Identity', [value(['n', 6])])).dims).toEqual(['n', 6])
  })

  test('operands that never go together are a mismatch that names the node', () => {
    const { call } = setup('n')
    expect(() => call('MatMul', [value(['n', 3]), value([4, 2])])).toThrow(
      expect.objectContaining({
        code: 'MODEL_SHAPE_MISMATCH',
        message: expect.stringContaining('MatMul node'),
      }),
    )
    // It changes nothing: what was known still is.
    expect(one(call('Identity', [value(['n', 3])])).dims).toEqual(['n', 3])
  })

  test('operands that go together only where they are empty are not supported', () => {
    const { call } = setup('n')
    expect(() => call('MatMul', [value([2, 'n']), value([0, 2])])).toThrow('only where they are empty')
  })

  test('mapDims gives null where no trial succeeds, and changes nothing', () => {
    const { probes } = setup('n')
    expect(probes.mapDims([['n']], () => null)).toBeNull()
    expect(probes.mapDims([['n', 3]], ([dims]) => dims ?? null)).toEqual(['n', 3])
    expect(probes.mapDims([['n']], (lists) => [2 * (lists[0]?.[0] ?? 0), lists[0]?.[0] ?? 0])).toEqual([
      '?1',
      'n',
    ])
  })
})

describe('elements', () => {
  test('computed from dims are known by name, and are no constants', () => {
    const { probes, call, shapeOf, ints } = setup('n')
    const x = value(['n', 4])
    const list = one(call('Concat', [shapeOf(x, 0), ints(2, -1)], { axis: 0 }))
    expect(probes.known(list)).toEqual(['n', 2, -1])
    expect(probes.isFromShapes(list)).toBe(true)
    expect(probes.isTraced(list)).toBe(true)
    expect(probes.uniform(list)).toBeNull()
    expect(one(call('Reshape', [x, list])).dims).toEqual(['n', 2, 2])
  })

  test('that are neither numbers nor symbols are traced and not known', () => {
    const { probes, call, shapeOf } = setup('n')
    const n = shapeOf(value(['n']), 0)
    const twice = one(call('Add', [n, n]))
    expect(probes.isTraced(twice)).toBe(true)
    expect(probes.known(twice)).toBeNull()
  })

  test('of dims that are numbers are constants, also beside symbols', () => {
    const { probes, call, shapeOf, ints } = setup('n')
    const shape = one(call('Shape', [value(['n', 4, 1])]))
    expect(probes.uniform(shape)).toBeNull()
    const last = one(call('Gather', [shape, ints(2)]))
    expect(probes.uniform(last)).toEqual(BigInt64Array.of(1n))
    expect(probes.uniform(one(call('Equal', [last, ints(1)])))).toEqual(Uint8Array.of(1))
    const list = one(
      call(
        'Concat',
        [
          one(call('Unsqueeze', [shapeOf(value(['n']), 0), ints(0)])),
          one(call('Unsqueeze', [ints(7), ints(0)])),
        ],
        { axis: 1 },
      ),
    )
    expect(probes.uniform(list)).toBeNull()
    expect(probes.uniform(one(call('Slice', [list, ints(1), ints(2), ints(1)])))).toEqual(
      BigInt64Array.of(7n),
    )
    expect(probes.uniform(one(call('Slice', [list, ints(0), ints(1), ints(1)])))).toBeNull()
    // How many dims there are does not depend on what they are.
    expect(probes.uniform(one(call('Size', [shape])))).toEqual(BigInt64Array.of(3n))
    // A comparison that a symbol takes part in is none, though it gives the same in every trial.
    expect(probes.uniform(one(call('Equal', [one(call('Gather', [shape, ints(0)])), ints(777)])))).toBeNull()
  })

  test('of which nobody knows how many there are are not known', () => {
    const { probes, call, shapeOf, constant } = setup('n')
    const [zero, step] = [0n, 1n].map((it) => constant([], BigInt64Array.of(it))) as [Value, Value]
    const few = one(
      call('Min', [one(call('Squeeze', [shapeOf(value(['n']), 0)])), constant([], BigInt64Array.of(4n))]),
    )
    const list = one(call('Range', [zero, few, step]))
    expect(list.dims).toEqual(['?1'])
    expect(probes.isTraced(list)).toBe(true)
    expect(probes.known(list)).toBeNull()
  })

  test('of what a query brings are not', () => {
    const { probes, call } = setup('n')
    const [x] = call('Cast', [value(['n'])], { to: 'int64' })
    expect(probes.isTraced(x as Value)).toBe(false)
    expect(probes.known(x as Value)).toBeNull()
  })

  test('of constants are one for all trials', () => {
    const { probes, call, ints } = setup('n')
    const sum = one(call('Add', [ints(1, 2), ints(3)]))
    expect(probes.uniform(sum)).toEqual(BigInt64Array.of(4n, 5n))
    expect(probes.known(sum)).toEqual([4, 5])
  })

  test('beyond a size are left to the engine', () => {
    const { probes, call, ints, constant } = setup()
    const zero = constant([], BigInt64Array.of(0n))
    expect(probes.isTraced(one(call('Expand', [zero, ints(4096)])))).toBe(true)
    expect(probes.isTraced(one(call('Expand', [zero, ints(4097)])))).toBe(false)
  })

  test.each([
    ['the lesser of a size and a bound', 'Min', 1000],
    ['the greater of a size and a bound', 'Max', 4],
    ['the greater of a size and 1, which 0 is less than,', 'Max', 1],
  ])('%s is not taken for the size', (_what, operator, bound) => {
    const { probes, call, shapeOf, ints } = setup('n')
    const n = shapeOf(value(['n']), 0)
    expect(probes.known(n)).toEqual(['n'])
    expect(probes.known(one(call(operator, [n, ints(bound)])))).toBeNull()
  })

  test('a comparison that holds in every trial is not a constant', () => {
    const { probes, call, shapeOf, ints } = setup('n')
    const isSmall = one(call('Less', [shapeOf(value(['n']), 0), ints(2 ** 40)]))
    expect(probes.uniform(isSmall)).toBeNull()
  })

  test('an index out of range is a mismatch', () => {
    const { call, ints } = setup()
    expect(() => call('Gather', [ints(1, 2), ints(7)])).toThrow(
      expect.objectContaining({ code: 'MODEL_SHAPE_MISMATCH' }),
    )
  })

  test('take no more memory than a bound, however small the graph', () => {
    const { call, ints, constant } = setup()
    const zero = constant([], BigInt64Array.of(0n))
    const bomb = () => {
      for (let i = 0; i < 5000; i++) call('Expand', [zero, ints(4096)])
    }
    expect(bomb).toThrow(expect.objectContaining({ code: 'MODEL_TOO_LARGE' }))
  })
})

describe('what runs under a condition', () => {
  test('runs in the trials where it holds, and its faults stay inside', async () => {
    const { probes, call, shapeOf, constant } = setup('n')
    const x = value(['n', 2])
    const isEight = one(call('Equal', [shapeOf(x, 0), constant([], BigInt64Array.of(8n))]))
    const then = await probes.under(isEight, true, async () => one(call('MatMul', [value([3, 8]), x])).dims)
    // Too few trials are left to tell a number from a coincidence.
    expect(then.length).toBe(2)
    await expect(
      probes.under(isEight, false, async () => call('MatMul', [value([3, 8]), x])),
    ).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
    expect(one(call('Concat', [x, value([1, 2])], { axis: 0 })).dims).toEqual(['?3', 2])
    expect(one(call('Identity', [x])).dims).toEqual(['n', 2])
  })

  test('runs in all where the condition depends on a query or holds in none', async () => {
    const { probes, call, shapeOf, constant } = setup('n')
    const x = value(['n', 2])
    const dims = async () => one(call('Identity', [x])).dims
    expect(await probes.under(value([], 'bool'), true, dims)).toEqual(['n', 2])
    const isHuge = one(call('Equal', [shapeOf(x, 0), constant([], BigInt64Array.of(12_345n))]))
    expect(await probes.under(isHuge, true, dims)).toEqual(['n', 2])
  })
})

test('thousands of names are told apart without looking at each', () => {
  const { probes, call } = setup('n')
  let x = value(['n'])
  const one1 = value([1])
  for (let i = 1; i <= 3000; i++) {
    x = one(call('Concat', [x, one1], { axis: 0 }))
    expect(x.dims).toEqual([`?${i}`])
  }
  expect(probes.mapDims([x.dims], (lists) => lists[0] ?? null)).toEqual(['?3000'])
})

test('numbers among thousands of names are told without looking at each', () => {
  const { call } = setup('n')
  const x = value(['n', 4])
  const walks = vi.spyOn(Map.prototype, 'values')
  try {
    for (let i = 1; i <= 1000; i++) {
      expect(one(call('NonZero', [x])).dims).toEqual([2, `?${i}`])
      expect(one(call('Identity', [x])).dims).toEqual(['n', 4])
    }
    expect(walks.mock.calls.length).toBeLessThan(10)
  } finally {
    walks.mockRestore()
  }
})
