// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

/** What can go wrong while the digits model is trained or checked. */
export const digitsErrorTable = defineErrorTable({
  DIGITS_DATASET_MISSING: {
    kind: 'environment',
    meaning: 'The handwritten digits to train on or to test with were not found.',
    remedy: 'Set MLCAPSULE_SHARED_DIR to the folder that holds datasets/mnist.',
  },
  DIGITS_DATASET_MALFORMED: {
    kind: 'input',
    meaning: 'A data set file is not in the idx format or not of 28x28 digits.',
    remedy: 'Fetch the file again; it must be idx (big-endian header, then bytes), gzipped.',
  },
  DIGITS_CHECKPOINT_MALFORMED: {
    kind: 'input',
    meaning: 'A file of trained weights is not one of this network.',
    remedy: 'Train again: npm run digits:train.',
  },
  DIGITS_MODEL_UNEXPECTED: {
    kind: 'input',
    meaning: 'The ONNX file is not one that this example wrote.',
    remedy: 'Write it again: npm run digits:train.',
  },
  DIGITS_GOAL_MISSED: {
    kind: 'refused',
    meaning: 'Training ended with a model that is not good enough to be published.',
    remedy: 'Train for more epochs or with another seed; the committed model was left as it was.',
  },
})

/** The codes of {@link digitsErrorTable}. */
export type DigitsErrorCode = keyof typeof digitsErrorTable

/** An error of the digits example, with a stable code. */
export class DigitsError extends MlCapsuleError<DigitsErrorCode> {
  constructor(code: DigitsErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(digitsErrorTable, code, detail, options)
  }
}
