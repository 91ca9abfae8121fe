// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runTool, writeJson } from '../support/run-tool.ts'
import { sharedDir } from '../support/shared.ts'
import { UsageError } from '../support/usage-error.ts'
import { readCases } from './case.ts'
import { caseRunners } from './cases/index.ts'
import { type JudgedCase, judge } from './judge.ts'
import { formatReport } from './report.ts'

const usage = `usage: npm run attestation:vectors -- [DIR] [options]
  DIR          folder of attestation vectors with an index.json, by default that of the reference data
  --only TEXT  cases alone whose name holds TEXT
  --verbose    a line for every case
  --json FILE  write what was found there too`

await runTool(usage, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  if (positionals.length > 1) throw new UsageError('there is one DIR')
  const dir = resolve(positionals[0] ?? join(sharedDir, 'attestation-vectors'))
  if (!existsSync(join(dir, 'index.json'))) throw new Error(`the attestation vectors are not there: ${dir}`)
  const cases = readCases(dir).filter(({ name }) => values.only === undefined || name.includes(values.only))
  if (cases.length === 0) throw new Error(`there are no such cases in ${dir}`)
  const judged: JudgedCase[] = []
  for (const vector of cases) {
    const run = caseRunners[vector.kind]
    if (run === undefined) throw new Error(`nothing here runs cases of kind ${vector.kind}`)
    const it = await judge(vector, run)
    judged.push(it)
    if (values.verbose) {
      const { outcome } = it
      const found = outcome === null ? 'stopped' : `${outcome.evidence} ${outcome.code ?? ''}`.trim()
      process.stdout.write(`${it.differences.length === 0 ? 'equal' : 'DIFFERENT'}  ${it.name}  ${found}\n`)
    }
  }
  const different = judged.filter(({ differences }) => differences.length > 0).length
  process.stdout.write(`${formatReport(judged)}\n\n${judged.length} cases, ${different} different\n`)
  writeJson(values.json, { cases: judged })
  return different === 0 ? 0 : 1
})
