#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes docs/reference/errors.md from the error table of every package (src/errors.ts). With --check it only compares.
// Run it with `npm run errors:doc`: it imports the packages from source, under the condition @mlcapsule/source.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './runner/environment.mjs'
import { workspacePackages } from './runner/workspace.mjs'

export const errorsDocPath = join(root, 'docs', 'reference', 'errors.md')

/** The error table of every package that has one, as `{ packageName, table }`. */
export async function errorTables() {
  const found = []
  for (const { dir, manifest } of workspacePackages()) {
    const file = join(root, dir, 'src', 'errors.ts')
    if (!existsSync(file)) continue
    const tables = Object.entries(await import(pathToFileURL(file).href)).filter(([name]) =>
      name.endsWith('ErrorTable'),
    )
    if (tables.length === 0)
      throw new Error(`${dir}/src/errors.ts exports no constant whose name ends in ErrorTable`)
    for (const [, table] of tables) found.push({ packageName: manifest.name, table })
  }
  return found
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** The document as text. */
export function renderErrorsDoc(tables) {
  const lines = [
    '# Error codes',
    '',
    'Generated from the error tables in the source by `npm run errors:doc`. Codes are stable: programs may switch over them.',
    'The kind decides the exit code of the command-line tools: `usage` 2, `input` 3, `refused` 4, `environment` 5, `internal` 70.',
  ]
  for (const { packageName, table } of tables) {
    lines.push('', `## ${packageName}`, '', '| code | kind | meaning | what to do |', '|---|---|---|---|')
    for (const [code, { kind, meaning, remedy }] of Object.entries(table).sort(([a], [b]) =>
      a < b ? -1 : 1,
    )) {
      lines.push(`| \`${code}\` | ${kind} | ${cell(meaning)} | ${cell(remedy)} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = renderErrorsDoc(await errorTables())
  const isCurrent = existsSync(errorsDocPath) && readFileSync(errorsDocPath, 'utf8') === text
  if (process.argv.includes('--check')) {
    if (!isCurrent) {
      process.stderr.write(
        'docs/reference/errors.md is not what the error tables say: run "npm run errors:doc"\n',
      )
      process.exitCode = 1
    }
  } else if (!isCurrent) {
    mkdirSync(dirname(errorsDocPath), { recursive: true })
    writeFileSync(errorsDocPath, text)
  }
}
