// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const defenseErrorTable = defineErrorTable({
  DEFENSE_CONFIG_INVALID: {
    kind: 'input',
    meaning: 'The configuration of a defense does not fit its schema.',
    remedy: 'Correct the field that the message names; the README of defense-plugins lists the settings.',
  },
  DEFENSE_OUTPUT_UNSUPPORTED: {
    kind: 'input',
    meaning: "A defense cannot work on one of the model's outputs.",
    remedy: 'Use defenses for classifiers on float32 outputs whose last dimension is the classes.',
  },
  DEFENSE_CONTRACT_BROKEN: {
    kind: 'internal',
    meaning: 'A defense changed its arguments, was not deterministic, or returned outputs of another form.',
    remedy:
      'Correct the defense: hooks are pure functions that return new tensors of the same dtypes and shapes.',
  },
})

export type DefenseErrorCode = keyof typeof defenseErrorTable

/** A defense that is configured wrongly, or that breaks the contract. */
export class DefenseError extends MlCapsuleError<DefenseErrorCode> {
  constructor(code: DefenseErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(defenseErrorTable, code, detail, options)
  }
}
