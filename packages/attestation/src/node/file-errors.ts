// SPDX-License-Identifier: Apache-2.0
import { systemCode } from '@mlcapsule/contracts/node'
import { AttestationError } from '../errors.ts'

/** @param path names the file or the folder */
export function filesUnusable(path: string, detail: string, cause?: unknown): AttestationError {
  const system = cause === undefined ? '' : ` (${systemCode(cause)})`
  return new AttestationError('ATTESTATION_FILES_UNUSABLE', `${path}: ${detail}${system}`, {
    field: path,
    cause,
  })
}
