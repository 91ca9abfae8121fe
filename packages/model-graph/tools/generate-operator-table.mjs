// SPDX-License-Identifier: Apache-2.0
// Writes the tables of operators and layers into README.md from the registries; with --check it only compares.
// Run it with node --conditions=@mlcapsule/source: it imports the registries from source.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { controlFlowOperators, maximumOpset, minimumOpset, operators } from '../src/ops/registry.ts'
import { tfOperators } from '../src/tfjs/graph-model/registry.ts'
import { kerasLayers } from '../src/tfjs/layers-model/registry.ts'

const path = join(dirname(fileURLToPath(import.meta.url)), '../README.md')

function table() {
  const all = [
    ...[...operators].map(([name, { since, note }]) => [name, since > minimumOpset ? since : '', note]),
    ...[...controlFlowOperators].map(([name, note]) => [name, '', note]),
  ].sort(([a], [b]) => (a < b ? -1 : 1))
  const rows = all.map((cells) => `| ${cells.join(' | ')} |`)
  const head = `${rows.length} operators, operator sets ${minimumOpset} to ${maximumOpset}:`
  return ['', head, '', '| operator | since | limits |', '|---|---|---|', ...rows, '', ''].join('\n')
}

/** Names in a paragraph, as lines of up to 120 characters. */
function paragraph(names, what) {
  const lines = [`${names.length} ${what}:`]
  for (const [i, name] of names.entries()) {
    const word = `${name}${i < names.length - 1 ? ',' : '.'}`
    const last = lines.at(-1)
    if (lines.length > 1 && last.length + word.length < 120) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return ['', ...lines, '', ''].join('\n')
}

const sections = {
  operators: table(),
  layers: paragraph([...kerasLayers.keys()], 'layers'),
  nodes: paragraph([...tfOperators.keys()], 'operators'),
}

const readme = readFileSync(path, 'utf8')
let text = readme
for (const [name, content] of Object.entries(sections)) {
  const start = `<!-- ${name} -->\n`
  const from = text.indexOf(start) + start.length
  text = text.slice(0, from) + content + text.slice(text.indexOf(`<!-- /${name} -->`))
}
if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (text !== readme) {
  process.stderr.write(
    'README.md is stale: run node --conditions=@mlcapsule/source tools/generate-operator-table.mjs\n',
  )
  process.exitCode = 1
}
