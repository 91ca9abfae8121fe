// SPDX-License-Identifier: Apache-2.0
import type { ModelIssue } from '../errors.ts'

/** Thrown while a node is imported: this form of the operator is not supported. Collected into one ModelError. */
export class UnsupportedNode extends Error {
  readonly code: ModelIssue['code']

  constructor(reason: string, code: ModelIssue['code'] = 'MODEL_OPERATOR_UNSUPPORTED') {
    super(reason)
    this.code = code
  }
}
