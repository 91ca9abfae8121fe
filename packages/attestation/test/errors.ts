// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '@mlcapsule/crypto'
import { AttestationError } from '../src/index.ts'

export function isAttestationError(error: unknown): boolean {
  return error instanceof AttestationError
}

/** Whether a refusal is one of those that a caller is told of. */
export function isCoded(error: unknown): boolean {
  return error instanceof AttestationError || error instanceof CryptoError
}
