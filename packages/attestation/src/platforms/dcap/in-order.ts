// SPDX-License-Identifier: Apache-2.0

/**
 * Waits for checks that run side by side. Where several fail, the first of the list is told of, whichever was first in
 * time: the same evidence is always refused with the same code.
 */
export async function inOrder<Checks extends readonly Promise<unknown>[]>(
  checks: readonly [...Checks],
): Promise<{ [Index in keyof Checks]: Awaited<Checks[Index]> }> {
  await Promise.allSettled(checks)
  return await Promise.all(checks)
}
