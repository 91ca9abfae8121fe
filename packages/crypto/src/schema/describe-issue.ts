// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod'

const plainName = /^[A-Za-z0-9_.-]{1,64}$/

/** A member's name may come from outside, and then hold anything, of any length. */
function shown(name: PropertyKey | undefined): string {
  return typeof name !== 'symbol' && plainName.test(String(name)) ? String(name) : '?'
}

/**
 * Says what is wrong with a value that a schema refused, without a word that came with the value but plain names.
 * @param what name of the whole, e.g. `license`
 * @returns path of the first field at fault, and a message that begins with it
 */
export function describeIssue(error: z.ZodError, what: string): { field: string; detail: string } {
  const issue = error.issues[0]
  const field = [what, ...(issue?.path ?? []).map(shown)].join('.')
  const message =
    issue?.code === 'unrecognized_keys' ? `unknown member ${shown(issue.keys[0])}` : issue?.message
  return { field, detail: `${field}: ${message ?? 'is invalid'}` }
}
