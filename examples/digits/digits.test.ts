// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findMnistFolder, readDigitSet } from './train/dataset.ts'
import { decodeSample, drawSamples } from './train/draw-samples.ts'
import { lowestAccuracy, type Metrics, renderFigures } from './train/metrics.ts'
import { macCount, parameterCount } from './train/network.ts'
import { digitsPaths } from './train/paths.ts'
import { classify, countCorrect } from './train/publish.ts'
import { openOnnx } from './train/run-onnx.ts'

const paths = digitsPaths(import.meta.dirname)
const metrics = JSON.parse(readFileSync(paths.metrics, 'utf8')) as Metrics
const modelFile = readFileSync(paths.model)
const model = openOnnx(modelFile)

describe('the committed model', () => {
  test('is the file that the metrics speak of, of 100 to 300 KB', () => {
    expect(statSync(paths.model).size).toBe(metrics.modelSizeBytes)
    expect(metrics.modelSizeBytes).toBeGreaterThan(100_000)
    expect(metrics.modelSizeBytes).toBeLessThan(300_000)
    expect(createHash('sha256').update(modelFile).digest('hex')).toBe(metrics.modelSha256)
  })

  test('has a label for each of ten probabilities', () => {
    const probabilities = model(new Float32Array(784))
    const labels = readFileSync(paths.labels, 'utf8').trimEnd().split('\n')
    expect(labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(probabilities).toHaveLength(labels.length)
    expect(probabilities.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 5)
  })

  test('has the stated size and work', () => {
    expect(metrics.parameterCount).toBe(parameterCount)
    expect(metrics.macCount).toBe(macCount)
    expect(macCount).toBeLessThanOrEqual(500_000)
  })

  test('is at least 98 % right by its metrics, and the card says the same', () => {
    expect(metrics.testImageCount).toBe(10_000)
    expect(metrics.accuracy).toBe(metrics.testCorrectCount / metrics.testImageCount)
    expect(metrics.accuracy).toBeGreaterThanOrEqual(lowestAccuracy)
    expect(readFileSync(paths.card, 'utf8')).toContain(renderFigures(metrics))
  })
})

describe('the samples', () => {
  const samples = drawSamples()

  test('are two of each digit, and nothing else', () => {
    const expected = samples.map(({ fileName }) => fileName).sort()
    expect(expected).toHaveLength(20)
    expect(readdirSync(paths.samples).sort()).toEqual(expected)
  })

  test.each(samples)('$fileName is drawn again to the same pixels, and read as $digit', (sample) => {
    const { fileName, digit, pixels } = sample
    expect(decodeSample(readFileSync(join(paths.samples, fileName)))).toEqual(pixels)
    expect(classify(model, pixels)).toBe(digit)
  })
})

const mnist = findMnistFolder(paths.repositoryRoot)
const reason = mnist === undefined ? ' (skipped: no datasets/mnist folder, see MLCAPSULE_SHARED_DIR)' : ''

test.skipIf(mnist === undefined)(
  `reads as many of the 10,000 MNIST test images right as the metrics say${reason}`,
  { timeout: 120_000 },
  () => {
    const testSet = readDigitSet(mnist as string, 't10k')
    expect(testSet.count).toBe(metrics.testImageCount)
    expect(countCorrect(model, testSet, testSet.count)).toBe(metrics.testCorrectCount)
  },
)
