// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatCount, progressBar } from '@mlcapsule/terminal'
import { chooseBackends } from '../support/backends.ts'
import { runTool, writeJson } from '../support/run-tool.ts'
import { sharedDir } from '../support/shared.ts'
import { UsageError } from '../support/usage-error.ts'
import { formatCoverage, readCoverage } from './coverage.ts'
import { judge } from './judge.ts'
import { formatReport, type JudgedTest, summarize } from './report.ts'
import { readSuite } from './suite.ts'

const usage = `usage: npm run conformance -- [DIR] [options]
  DIR                 folder of ONNX backend tests, by default that of the reference data
  --backend NAME      native, wasm or reference; native and wasm by default
  --only OP,…         tests of these operators alone
  --constant-inputs   with every input but the first as a constant
  --coverage          which share of the models in DIR/zoo-op-usage.json has all its operators supported
  --verbose           a line for every test
  --json FILE         write the report there too`

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string' },
      only: { type: 'string' },
      'constant-inputs': { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  if (positionals.length > 1) throw new UsageError('there is one DIR')
  return { ...values, dir: resolve(positionals[0] ?? join(sharedDir, 'onnx-conformance')) }
}

type Options = ReturnType<typeof readArguments>

function coverage({ dir, json }: Options): number {
  const path = join(dir, 'zoo-op-usage.json')
  if (!existsSync(path)) throw new Error(`there is no ${path}`)
  const report = readCoverage(path)
  process.stdout.write(`${formatCoverage(report)}\n`)
  writeJson(json, report)
  return 0
}

async function conformance(options: Options): Promise<number> {
  const { dir, only, verbose } = options
  if (!existsSync(dir)) throw new Error(`the conformance tests are not there: ${dir}`)
  const wanted = only === undefined ? null : new Set(only.split(','))
  const suite = readSuite(dir).filter((it) => wanted?.has(it.operator ?? '') ?? true)
  if (suite.length === 0) throw new Error(`there are no such tests in ${dir}`)
  const backends = await chooseBackends(options.backend, ['native', 'wasm'], (line) =>
    process.stdout.write(`${line}\n`),
  )
  const bar = progressBar({
    stream: process.stderr,
    env: process.env,
    label: 'conformance',
    total: suite.length,
    format: formatCount,
  })
  const judged: JudgedTest[] = []
  for (const [i, test] of suite.entries()) {
    bar.update(i)
    const judgement = await judge(test, backends, { constantInputs: options['constant-inputs'] })
    if (judgement === null) continue
    judged.push({ ...test, ...judgement })
    if (verbose) process.stdout.write(`${judgement.verdict} ${test.name} ${judgement.detail}\n`)
  }
  bar.end()
  const report = summarize(judged)
  const names = backends.map(({ name }) => name)
  process.stdout.write(`${formatReport(report)}\n\n${judged.length} tests on ${names.join(' and ')}\n`)
  writeJson(options.json, { backends: names, ...report })
  return report.marked.wrong + report.unmarked.wrong === 0 ? 0 : 1
}

await runTool(usage, async () => {
  const options = readArguments()
  return options.coverage ? coverage(options) : await conformance(options)
})
