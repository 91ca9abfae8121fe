// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './environment.mjs'

const ignoredDirs = new Set(['node_modules', 'dist', '.results', '.turbo', 'bootstrap'])

function hasTests(dir) {
  return readdirSync(dir, { withFileTypes: true }).some((entry) =>
    entry.isDirectory()
      ? !ignoredDirs.has(entry.name) && hasTests(join(dir, entry.name))
      : entry.name.endsWith('.test.ts'),
  )
}

/** Reads one vitest JSON report into counts and names. */
export function summarizeReport(report, baseDir) {
  const result = { passedCount: 0, failed: [], skipped: [] }
  for (const file of report.testResults) {
    const path = relative(baseDir, file.name)
    let failedHere = false
    for (const test of file.assertionResults) {
      const name = `${path} > ${test.fullName}`
      if (test.status === 'passed') result.passedCount++
      else if (test.status === 'failed') {
        failedHere = true
        result.failed.push(name)
      } else result.skipped.push(name)
    }
    if (file.status === 'failed' && !failedHere) result.failed.push(`${path} (the file did not load)`)
  }
  if (!report.success && result.failed.length === 0) result.failed.push('an error outside of any test')
  return result
}

/**
 * Results of the packages that took part in a run.
 * @param tasks turbo's summary, or undefined where turbo wrote none; then every package is expected to have a report
 */
export function readResults(packages, script, tasks) {
  const results = []
  for (const { dir, manifest } of packages) {
    const task = tasks?.find((it) => it.package === manifest.name && it.task === script)
    if (tasks !== undefined && task === undefined) continue
    if (!hasTests(join(root, dir))) continue
    const file = join(root, dir, '.results', 'vitest.json')
    const cached = task?.cache?.status === 'HIT'
    if (existsSync(file)) {
      const report = JSON.parse(readFileSync(file, 'utf8'))
      results.push({ name: manifest.name, cached, ...summarizeReport(report, join(root, dir)) })
    } else {
      const failed = ['no report: its tests, or the build of a package below it, did not come to an end']
      results.push({ name: manifest.name, cached, passedCount: 0, failed, skipped: [] })
    }
  }
  return results
}

function list(title, results, key) {
  const lines = results.flatMap((it) => it[key].map((name) => `  ${it.name}: ${name}`))
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines]
}

/** A table of packages, then the names of failed and skipped tests. */
export function formatReport(results) {
  const width = Math.max(0, ...results.map((it) => it.name.length))
  const rows = results.map((it) => {
    const counts = `${it.passedCount} passed, ${it.failed.length} failed, ${it.skipped.length} skipped`
    return `${it.name.padEnd(width)}  ${counts}${it.cached ? ' (unchanged)' : ''}`
  })
  const lines = [
    '',
    ...rows,
    ...list('failed', results, 'failed'),
    ...list('skipped', results, 'skipped'),
    '',
    '',
  ]
  const sum = (count) => results.reduce((total, it) => total + count(it), 0)
  return {
    text: lines.join('\n'),
    passedCount: sum((it) => it.passedCount),
    failedCount: sum((it) => it.failed.length),
    skippedCount: sum((it) => it.skipped.length),
  }
}
