// SPDX-License-Identifier: Apache-2.0

/** One scenario: what is given, and what has to come of it. */
export interface VectorCase {
  /** Section of the specification. */
  readonly clause: string
  /** Why it is right or wrong. */
  readonly reason: string
  readonly expected: unknown
  readonly [member: string]: unknown
}

/** Files of one folder of vectors: path within it, and content. */
export function filesOf(folder: string, cases: Readonly<Record<string, VectorCase>>): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, it] of Object.entries(cases)) {
    files.set(`${folder}/${name}.json`, `${JSON.stringify(it, null, 2)}\n`)
  }
  return files
}
