// SPDX-License-Identifier: Apache-2.0
// Writes the table of operators into README.md from the registry; with --check it only compares.
// Run it with node --conditions=@mlcapsule/source: it imports the registry from source.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { controlFlowOperators, maximumOpset, minimumOpset, operators } from '../src/ops/registry.ts'

const path = join(dirname(fileURLToPath(import.meta.url)), '../README.md')
const [start, end] = ['<!-- operators -->\n', '<!-- /operators -->']

function table() {
  const all = [
    ...[...operators].map(([name, { since, note }]) => [name, since > minimumOpset ? since : '', note]),
    ...[...controlFlowOperators].map(([name, note]) => [name, '', note]),
  ].sort(([a], [b]) => (a < b ? -1 : 1))
  const rows = all.map((cells) => `| ${cells.join(' | ')} |`)
  const head = `${rows.length} operators, operator sets ${minimumOpset} to ${maximumOpset}:`
  return ['', head, '', '| operator | since | limits |', '|---|---|---|', ...rows, '', ''].join('\n')
}

const readme = readFileSync(path, 'utf8')
const from = readme.indexOf(start) + start.length
const to = readme.indexOf(end)
const text = readme.slice(0, from) + table() + readme.slice(to)
if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (text !== readme) {
  process.stderr.write(
    'README.md is stale: run node --conditions=@mlcapsule/source tools/generate-operator-table.mjs\n',
  )
  process.exitCode = 1
}
