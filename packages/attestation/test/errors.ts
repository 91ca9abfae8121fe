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

/** Code of the refusal that something ends with; `ok` where it does not. Whatever else is thrown goes on. */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'ok'
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
}
