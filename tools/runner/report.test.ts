// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { formatReport, summarizeReport } from './report.mjs'

const file = (status: string, assertionResults: readonly { fullName: string; status: string }[]) => ({
  name: '/base/src/a.test.ts',
  status,
  assertionResults,
})

describe('summarizeReport', () => {
  test('counts by status and keeps names', () => {
    const results = [
      { fullName: 'one', status: 'passed' },
      { fullName: 'two', status: 'failed' },
      { fullName: 'three', status: 'skipped' },
      { fullName: 'four', status: 'pending' },
      { fullName: 'five', status: 'todo' },
    ]
    const summary = summarizeReport({ success: false, testResults: [file('failed', results)] }, '/base')
    expect(summary.passedCount).toBe(1)
    expect(summary.failed).toEqual(['src/a.test.ts > two'])
    expect(summary.skipped).toEqual(['src/a.test.ts > three', 'src/a.test.ts > four', 'src/a.test.ts > five'])
  })

  test('a file that did not load is one failure', () => {
    const summary = summarizeReport({ success: false, testResults: [file('failed', [])] }, '/base')
    expect(summary.failed).toHaveLength(1)
  })

  test('a report without success is a failure though every test passed', () => {
    const results = [{ fullName: 'one', status: 'passed' }]
    const summary = summarizeReport({ success: false, testResults: [file('passed', results)] }, '/base')
    expect(summary).toMatchObject({ passedCount: 1, failed: [expect.any(String)] })
  })
})

describe('formatReport', () => {
  test('sums all packages and lists what was skipped', () => {
    const results = [
      { name: 'a', cached: false, passedCount: 2, failed: ['x'], skipped: [] },
      { name: 'b', cached: true, passedCount: 3, failed: [], skipped: ['no shared data'] },
    ]
    const { text, ...counts } = formatReport(results)
    expect(counts).toEqual({ passedCount: 5, failedCount: 1, skippedCount: 1 })
    expect(text).toContain('  b: no shared data')
  })
})
