// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root as repositoryRoot } from './environment.mjs'

/** The `packages:` patterns of pnpm-workspace.yaml: a plain list, so that no YAML parser is needed before setup. */
function patterns(root) {
  const found = []
  let inside = false
  for (const line of readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split(/\r?\n/)) {
    if (/^packages:\s*$/.test(line)) inside = true
    else if (inside && /^\s+-\s/.test(line)) found.push(line.replace(/^\s+-\s+/, '').replace(/^'|'$/g, ''))
    else if (inside && /^\S/.test(line)) break
  }
  return found
}

function expand(root, pattern) {
  if (!pattern.endsWith('/*')) return [pattern]
  const parent = pattern.slice(0, -2)
  if (!existsSync(join(root, parent))) return []
  return readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`)
}

/** Every workspace package as `{ dir, manifest }`, in order of folder; `dir` is relative to the root, with `/`. */
export function workspacePackages(root = repositoryRoot) {
  const all = patterns(root)
  const excluded = new Set(all.filter((it) => it.startsWith('!')).map((it) => it.slice(1)))
  const dirs = new Set(all.filter((it) => !it.startsWith('!')).flatMap((it) => expand(root, it)))
  return [...dirs]
    .filter((dir) => !excluded.has(dir) && existsSync(join(root, dir, 'package.json')))
    .sort()
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) }))
}
