// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError } from '@mlcapsule/contracts'

/** `ok`, or the code of the error; anything but a coded error is a fault of ours, and ends the run. */
export async function codeFrom(step: () => unknown): Promise<string> {
  try {
    await step()
    return 'ok'
  } catch (error) {
    if (!isMlCapsuleError(error)) throw error
    return error.code
  }
}
