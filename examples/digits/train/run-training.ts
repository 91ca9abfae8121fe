// SPDX-License-Identifier: Apache-2.0
import { prepareBackend } from './backend.ts'
import { encodeParameters, writeWhole } from './checkpoint.ts'
import { findMnistFolder, readDigitSet } from './dataset.ts'
import { DigitsError } from './errors.ts'
import type { DigitsPaths } from './paths.ts'
import { defaultTrainingOptions, train } from './train.ts'

/** What a training run leaves beside its best weights. */
export interface RunRecord {
  readonly seed: number
  readonly trainedEpochCount: number
  readonly bestEpoch: number
  readonly heldOutImageCount: number
  readonly heldOutCorrectCount: number
  readonly trainingImageCount: number
  readonly trainingSeconds: number
}

/**
 * Trains and keeps the best weights in `paths.checkpoint`, the record in `paths.runRecord`.
 * @param print receives one line of progress at a time
 * @throws DigitsError `DIGITS_DATASET_MISSING`, `DIGITS_DATASET_MALFORMED`
 */
export async function runTraining(paths: DigitsPaths, print: (line: string) => void): Promise<void> {
  const folder = findMnistFolder(paths.repositoryRoot)
  if (folder === undefined) {
    throw new DigitsError('DIGITS_DATASET_MISSING', 'no datasets/mnist folder', {
      field: 'MLCAPSULE_SHARED_DIR',
    })
  }
  const set = readDigitSet(folder, 'train10k')
  const options = defaultTrainingOptions
  const trainingImageCount = set.count - options.heldOutCount
  print(`training on ${trainingImageCount} images, ${options.heldOutCount} held out, seed ${options.seed}`)
  await prepareBackend()
  let bestEpoch = 0
  let heldOutCorrectCount = 0
  train(
    set,
    options,
    (epoch, trainedCount, loss) => {
      if (trainedCount % (options.batchCount * 70) === 0) {
        print(`  epoch ${epoch}: ${trainedCount}/${trainingImageCount} images, loss ${loss.toFixed(4)}`)
      }
    },
    (report) => {
      const { epoch, heldOut, isBest } = report
      const seconds = Math.round(report.elapsedMs / 1000)
      print(
        `epoch ${epoch}/${options.epochCount}: loss ${report.trainingLoss.toFixed(4)}, held out ` +
          `${heldOut.correctCount}/${heldOut.imageCount} (loss ${heldOut.loss.toFixed(4)}), ` +
          `${seconds} s${isBest ? ', best so far' : ''}`,
      )
      if (isBest) {
        bestEpoch = epoch
        heldOutCorrectCount = heldOut.correctCount
        writeWhole(paths.checkpoint, encodeParameters(report.parameters))
      }
      const record: RunRecord = {
        seed: options.seed,
        trainedEpochCount: epoch,
        bestEpoch,
        heldOutImageCount: heldOut.imageCount,
        heldOutCorrectCount,
        trainingImageCount,
        trainingSeconds: seconds,
      }
      writeWhole(paths.runRecord, `${JSON.stringify(record, null, 2)}\n`)
    },
  )
}
