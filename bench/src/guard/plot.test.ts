// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { fitLine, plotSvg } from './plot.ts'

test('the line through points of a line is that line', () => {
  expect(fitLine([1, 2, 5].map((x) => [x, 3 * x + 2] as const))).toEqual({
    slope: expect.closeTo(3, 9),
    offset: expect.closeTo(2, 9),
  })
})

test('a plot has a mark for each point, inside its frame, and its words are not markup', () => {
  const points = [
    [1, 0.5],
    [2, 1],
    [4, 9],
  ] as const
  const svg = plotSvg({ title: 'a < b & c', xLabel: 'x', yLabel: 'y', series: [{ name: 's', points }] })
  const marks = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ])
  expect(marks).toHaveLength(3)
  for (const [x = 0, y = 0] of marks) {
    expect(x).toBeGreaterThan(60)
    expect(x).toBeLessThan(480)
    expect(y).toBeGreaterThan(34)
    expect(y).toBeLessThan(274)
  }
  expect(svg).toContain('a &lt; b &amp; c')
})
