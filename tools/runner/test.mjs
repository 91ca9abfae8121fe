// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { countFailedChecks } from './checks.mjs'
import { bootstrapDir, root } from './environment.mjs'
import { run } from './exec.mjs'
import { withLock } from './lock.mjs'
import { formatReport, readResults } from './report.mjs'
import { workspacePackages } from './workspace.mjs'

const script = 'test:unit'
const runsDir = join(root, '.turbo', 'runs')

function listRuns() {
  try {
    return readdirSync(runsDir).filter((it) => it.endsWith('.json'))
  } catch {
    return []
  }
}

/** The tasks of one turbo run, from the summary that it writes; it has a random name, so any older one is removed. */
function readSummary() {
  const [file] = listRuns()
  if (file === undefined) return undefined
  return JSON.parse(readFileSync(join(runsDir, file), 'utf8')).tasks
}

async function runTests({ node, env }, args) {
  const packages = workspacePackages().filter((it) => it.manifest.scripts?.[script] !== undefined)
  for (const { dir } of packages) rmSync(join(root, dir, '.results'), { recursive: true, force: true })
  for (const file of listRuns()) rmSync(join(runsDir, file))
  const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
  const flags = [
    '--ui=stream',
    '--continue',
    '--summarize',
    '--output-logs=errors-only',
    `--concurrency=${availableParallelism()}`,
  ]
  const { code } = await run(node, [turbo, 'run', script, ...flags, ...args], { env, show: 'all' })
  const results = readResults(packages, script, readSummary())
  return { code, results }
}

/**
 * Checks, then unit tests of every package. Prints a table, each failed and each skipped test by name, and as the last
 * line the totals. A failed check, or a package that did not come to the end of its tests, counts as one failed test.
 */
export async function test(tools, args) {
  const onWait = (pid) =>
    process.stdout.write(`test: waiting for another test run of this clone (process ${pid})\n`)
  return withLock(join(bootstrapDir, '.test-lock'), onWait, async () => {
    const failedCheckCount = await countFailedChecks(tools)
    const { code, results } = await runTests(tools, args)
    const { text, passedCount, failedCount, skippedCount } = formatReport(results)
    let allFailedCount = failedCheckCount + failedCount
    if (code !== 0 && failedCount === 0) {
      allFailedCount++
      process.stdout.write('\nfailed: a task above did not end well\n')
    }
    process.stdout.write(text)
    if (failedCheckCount > 0) process.stdout.write(`\n${failedCheckCount} of the checks at the top failed\n`)
    process.stdout.write(`${passedCount} passed, ${allFailedCount} failed, ${skippedCount} skipped\n`)
    return allFailedCount === 0 ? 0 : 1
  })
}
