// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError } from '@mlcapsule/contracts'
import type { ModelError } from '@mlcapsule/model-graph'

/** Code and message of a coded error; of any other what helps to find it. */
export const errorText = (error: unknown): string =>
  isMlCapsuleError(error)
    ? `${error.code}: ${error.message}`
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)

/** Why a model is not taken: each reason once. */
export function reasonsOf(error: ModelError): string {
  const reasons = error.issues.map(({ operator, reason }) => `${operator}: ${reason}`)
  return [...new Set(reasons)].join('; ') || error.message
}
