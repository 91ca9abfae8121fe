// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyInto } from './augment.ts'
import { readParameters, writeWhole } from './checkpoint.ts'
import { classCount, type DigitSet, findMnistFolder, imagePixelCount, readDigitSet } from './dataset.ts'
import { drawSamples, encodeSample } from './draw-samples.ts'
import { DigitsError } from './errors.ts'
import { encodeOnnx } from './export-onnx.ts'
import { lowestAccuracy, type Metrics, updateCard } from './metrics.ts'
import { macCount, parameterCount } from './network.ts'
import type { DigitsPaths } from './paths.ts'
import { type DigitsModel, openOnnx } from './run-onnx.ts'
import type { RunRecord } from './run-training.ts'

/** The digit with the highest probability, for an image of 784 bytes. */
export function classify(model: DigitsModel, pixels: Uint8Array): number {
  const image = new Float32Array(imagePixelCount)
  copyInto(image, pixels)
  const probabilities = model(image)
  return probabilities.indexOf(Math.max(...probabilities))
}

/** How many of a set's first `count` images the model gets right. */
export function countCorrect(model: DigitsModel, set: DigitSet, count: number): number {
  let correctCount = 0
  for (let image = 0; image < count; image++) {
    const pixels = set.pixels.subarray(image * imagePixelCount, (image + 1) * imagePixelCount)
    if (classify(model, pixels) === set.labels[image]) correctCount++
  }
  return correctCount
}

/** Draws the samples and writes them as PNG files. */
export function writeSamples(paths: DigitsPaths): void {
  for (const { fileName, pixels } of drawSamples()) {
    writeWhole(join(paths.samples, fileName), encodeSample(pixels))
  }
}

/**
 * Turns the best weights of the last training run into the committed files: model, labels, metrics, the figures
 * of the model card. The accuracy is that of the ONNX file itself, over the whole test set.
 * @throws DigitsError `DIGITS_GOAL_MISSED` – below 98 %, or a sample misread; nothing is written then
 */
export function publish(paths: DigitsPaths, print: (line: string) => void): void {
  const folder = findMnistFolder(paths.repositoryRoot)
  if (folder === undefined) {
    throw new DigitsError('DIGITS_DATASET_MISSING', 'no datasets/mnist folder', {
      field: 'MLCAPSULE_SHARED_DIR',
    })
  }
  const file = encodeOnnx(readParameters(paths.checkpoint))
  const { bestEpoch, ...record } = JSON.parse(readFileSync(paths.runRecord, 'utf8')) as RunRecord
  const model = openOnnx(file)
  const testSet = readDigitSet(folder, 't10k')
  const testCorrectCount = countCorrect(model, testSet, testSet.count)
  const metrics: Metrics = {
    accuracy: testCorrectCount / testSet.count,
    testImageCount: testSet.count,
    testCorrectCount,
    parameterCount,
    macCount,
    modelSizeBytes: file.length,
    modelSha256: createHash('sha256').update(file).digest('hex'),
    bestEpoch,
    ...record,
  }
  print(`test set: ${testCorrectCount}/${testSet.count} right (${(100 * metrics.accuracy).toFixed(2)} %)`)
  if (metrics.accuracy < lowestAccuracy) {
    throw new DigitsError('DIGITS_GOAL_MISSED', `accuracy: expected at least 0.98, got ${metrics.accuracy}`, {
      field: 'accuracy',
    })
  }
  const misread = drawSamples().filter(({ digit, pixels }) => classify(model, pixels) !== digit)
  if (misread.length > 0) {
    const names = misread.map(({ fileName }) => fileName).join(', ')
    throw new DigitsError('DIGITS_GOAL_MISSED', `samples: expected all read right, got ${names} wrong`, {
      field: 'samples',
    })
  }
  print('samples: all read right')
  writeWhole(paths.model, file)
  writeWhole(paths.labels, Array.from({ length: classCount }, (_, digit) => `${digit}\n`).join(''))
  writeWhole(paths.metrics, `${JSON.stringify(metrics, null, 2)}\n`)
  writeWhole(paths.card, updateCard(readFileSync(paths.card, 'utf8'), metrics))
  print(`wrote ${paths.model} (${file.length} bytes), labels, metrics, model card`)
}
