// SPDX-License-Identifier: Apache-2.0

/** What the operating system calls a failure, e.g. `ENOENT`, and nothing that could hold more than that. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown error'
}
