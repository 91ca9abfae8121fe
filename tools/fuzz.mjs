#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs every fuzzer (`*.fuzz.test.ts`) at its long length, package after package. `npm run fuzz -- crypto` runs those of
// the packages whose folder holds the word.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const words = process.argv.slice(2)

function fuzzersIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist'].includes(entry.name) || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return fuzzersIn(path)
    return entry.name.endsWith('.fuzz.test.ts') ? [path] : []
  })
}

const groups = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
)
const folders = [...groups, join(root, 'enclave-runtime'), join(root, 'tests')]
let ran = 0
let failed = 0
for (const folder of folders) {
  const name = relative(root, folder)
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue
  const fuzzers = fuzzersIn(folder)
  if (fuzzers.length === 0) continue
  process.stdout.write(`fuzz: ${name}: ${fuzzers.map((file) => relative(folder, file)).join(', ')}\n`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...fuzzers], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, SLOW: '1' },
  })
  ran++
  if (status !== 0) failed++
}
process.stdout.write(`fuzz: ${ran} packages, ${failed} failed\n`)
process.exitCode = ran === 0 || failed > 0 ? 1 : 0
