// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError } from '@mlcapsule/contracts'

/** `ok`, or the code of the refusal. What is no coded error goes through: a test has to fail of it. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'ok'
  } catch (error) {
    if (!isMlCapsuleError(error)) throw error
    return error.code
  }
}
