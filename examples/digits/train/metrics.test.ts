// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { type Metrics, renderFigures, updateCard } from './metrics.ts'

const metrics: Metrics = {
  accuracy: 0.9876,
  testImageCount: 10_000,
  testCorrectCount: 9876,
  heldOutImageCount: 1000,
  heldOutCorrectCount: 990,
  parameterCount: 37_610,
  macCount: 354_048,
  modelSizeBytes: 151_234,
  modelSha256: 'ab'.repeat(32),
  seed: 5,
  trainingImageCount: 9000,
  trainedEpochCount: 30,
  bestEpoch: 28,
  trainingSeconds: 1234,
}

test('the figures of the card are those of the metrics', () => {
  const figures = renderFigures(metrics)
  for (const shown of ['98.76 % (9,876 of 10,000)', '37,610', '354,048', '151,234 bytes', 'ab'.repeat(32)]) {
    expect(figures).toContain(shown)
  }
})

test('only what stands between the markers changes, and a second time nothing does', () => {
  const card = 'before\n<!-- figures: written by digits:train -->\nold\n<!-- end of figures -->\nafter\n'
  const updated = updateCard(card, metrics)
  expect(updated).toMatch(/^before\n/)
  expect(updated).toMatch(/<!-- end of figures -->\nafter\n$/)
  expect(updated).toContain(renderFigures(metrics))
  expect(updated).not.toContain('old')
  expect(updateCard(updated, metrics)).toBe(updated)
})
