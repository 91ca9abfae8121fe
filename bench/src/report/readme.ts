// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const path = join(import.meta.dirname, '..', '..', 'README.md')
const end = '<!-- end -->'

/**
 * Replaces what a command has measured in bench/README.md, between its own mark and the next end.
 * @param command as the mark names it
 * @throws Error where the marks are missing
 */
export async function writeReadme(command: string, measured: string): Promise<void> {
  const begin = `<!-- measured: ${command} -->`
  const text = await readFile(path, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`${path} lacks the marks that ${command} writes between`)
  await writeFile(path, `${text.slice(0, from)}${begin}\n${measured}\n${text.slice(to)}`)
}
