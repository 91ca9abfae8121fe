// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One scenario: what is given, and what has to come of it. */
export interface VectorCase {
  /** Section of the specification. */
  readonly clause: string
  /** Why it is right or wrong. */
  readonly reason: string
  readonly expected: unknown
  readonly [member: string]: unknown
}

/** Files of one folder of vectors: path within the vectors, and content. */
export function vectorFiles(
  folder: string,
  cases: Readonly<Record<string, VectorCase>>,
): Map<string, string> {
  const named = Object.entries(cases)
  return new Map(named.map(([name, it]) => [`${folder}/${name}.json`, `${JSON.stringify(it, null, 2)}\n`]))
}

/** The files as they are committed, to be held against what a generator makes. */
export function readVectorFiles(root: string): Map<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const files = names.filter((it) => it.endsWith('.json'))
  return new Map(files.map((it) => [it.replaceAll('\\', '/'), readFileSync(join(root, it), 'utf8')]))
}

/** Puts the files in place of all that their folders held. */
export function writeVectorFiles(root: string, files: ReadonlyMap<string, string>): void {
  const folders = new Set([...files.keys()].map((path) => dirname(join(root, path))))
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }
  for (const [path, text] of files) writeFileSync(join(root, path), text)
}

/** The vectors of one folder, as `test.each` takes them: file name, and what the file holds. */
// biome-ignore lint/suspicious/noExplicitAny: vectors are JSON of many forms, checked by what comes of them
export function loadVectors(folder: string): [name: string, vector: any][] {
  const names = readdirSync(folder).sort()
  return names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))])
}
