// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MatchResult } from '../run-match.ts'
import { machineFacts, ratioTables } from './tables.ts'

const path = join(import.meta.dirname, '..', '..', 'README.md')
const begin = '<!-- measured: npm run bench -- --readme -->'
const end = '<!-- end -->'

/** Replaces what stands between the two marks of bench/README.md. @throws Error where they are missing */
export async function writeReadme(results: readonly MatchResult[]): Promise<void> {
  const text = await readFile(path, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${path} lacks the marks that tables are put between`)
  const roundCount = Math.min(...results.map((it) => it.roundCount))
  const facts = `${machineFacts()}, ${new Date().toISOString().slice(0, 10)}; ${roundCount} rounds.`
  const tables = `${begin}\n${facts}\n\n${ratioTables(results)}\n`
  await writeFile(path, text.slice(0, from) + tables + text.slice(to))
}
