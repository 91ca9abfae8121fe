// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, test } from 'vitest'
import { prepareBackend } from './backend.ts'
import type { DigitSet } from './dataset.ts'
import { drawSamples } from './draw-samples.ts'
import { parameterCount, parameterShapes } from './network.ts'
import { defaultTrainingOptions, type EpochReport, train } from './train.ts'

/** The 20 samples, twice: enough to see that learning happens. */
const samples = [...drawSamples(), ...drawSamples()]
const set: DigitSet = {
  count: samples.length,
  pixels: Uint8Array.from(samples.flatMap(({ pixels }) => [...pixels])),
  labels: Uint8Array.from(samples, ({ digit }) => digit),
}

function trainBriefly(seed: number, epochCount: number): EpochReport[] {
  const reports: EpochReport[] = []
  const options = { ...defaultTrainingOptions, seed, epochCount, batchCount: 10, heldOutCount: 20 }
  train(
    set,
    options,
    () => {},
    (report) => reports.push(report),
  )
  return reports
}

beforeAll(prepareBackend)

test('gives a network of the stated size, better than at the start', () => {
  const reports = trainBriefly(1, 12)
  expect(reports).toHaveLength(12)
  const [first, last] = [reports[0] as EpochReport, reports[11] as EpochReport]
  expect(last.trainingLoss).toBeLessThan(first.trainingLoss)
  expect(last.parameters.map(({ name, shape }) => ({ name, shape }))).toEqual(parameterShapes)
  expect(last.parameters.reduce((sum, { values }) => sum + values.length, 0)).toBe(parameterCount)
  expect(reports.filter(({ isBest }) => isBest).length).toBeGreaterThan(0)
})

test('the same seed gives the same weights to the bit, another seed others', () => {
  const [first, again, other] = [1, 1, 2].map((seed) => trainBriefly(seed, 1)[0]?.parameters)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})
