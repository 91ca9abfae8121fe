#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs every fuzzer (`*.fuzz.test.ts`) at its long length, package after package. `npm run fuzz -- crypto` runs those of
// the packages whose folder holds the word.
import { join, posix } from 'node:path'
import { root } from './runner/environment.mjs'
import { run } from './runner/exec.mjs'
import { listFiles } from './runner/files.mjs'
import { workspacePackages } from './runner/workspace.mjs'

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const env = { ...process.env, SLOW: '1' }
const words = process.argv.slice(2)

let ranCount = 0
let failedCount = 0
for (const { dir } of workspacePackages()) {
  if (words.length > 0 && !words.some((word) => dir.includes(word))) continue
  const fuzzers = listFiles(root, dir)
    .filter((path) => path.endsWith('.fuzz.test.ts'))
    .map((path) => posix.relative(dir, path))
  if (fuzzers.length === 0) continue
  process.stdout.write(`fuzz: ${dir}: ${fuzzers.join(', ')}\n`)
  const { code } = await run(process.execPath, [vitest, 'run', ...fuzzers], {
    cwd: join(root, dir),
    env,
    show: 'all',
  })
  ranCount++
  if (code !== 0) failedCount++
}
process.stdout.write(`fuzz: ${ranCount} packages, ${failedCount} failed\n`)
process.exitCode = ranCount === 0 || failedCount > 0 ? 1 : 0
