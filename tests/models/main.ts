// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatCount, progressBar, table } from '@mlcapsule/terminal'
import { runTool, writeJson } from '../support/run-tool.ts'
import { repository, sharedDir } from '../support/shared.ts'
import { UsageError } from '../support/usage-error.ts'
import { checkModel, type ModelResult } from './check-model.ts'
import type { EnclaveEntry } from './enclave.ts'
import { readInventory } from './inventory.ts'

const usage = `usage: npm run models -- [DIR] [options]
  DIR             folder of models with stored inputs and outputs, by default that of the reference data
  --entry NAME    worker or process; both by default
  --json FILE     write the results there too`

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { entry: { type: 'string' }, json: { type: 'string' } },
  })
  if (positionals.length > 1) throw new UsageError('there is one DIR')
  const entries = (['worker', 'process'] as const).filter((it) => (values.entry ?? it) === it)
  if (entries.length === 0) throw new UsageError(`there is no entry ${values.entry}`)
  return { dir: resolve(positionals[0] ?? join(sharedDir, 'models')), entries, json: values.json }
}

/** An error is a result too: the other models are still run. */
async function resultOf(run: () => Promise<ModelResult>, model: string, entry: EnclaveEntry) {
  try {
    return await run()
  } catch (error) {
    const figures = { stepCount: 0, parameterCount: 0, comparedCount: 0, largestDifference: 0 }
    const detail = error instanceof Error ? error.message : String(error)
    return {
      model,
      entry,
      kernels: '',
      symbols: {},
      ...figures,
      verdict: 'wrong',
      detail,
    } satisfies ModelResult
  }
}

const row = (it: ModelResult) => [
  it.model,
  it.entry,
  it.kernels,
  formatCount(it.stepCount),
  formatCount(it.parameterCount),
  String(it.comparedCount),
  it.largestDifference.toExponential(1),
  it.verdict,
  Object.entries(it.symbols)
    .map(([name, size]) => `${name}=${size}`)
    .join(' '),
]

const head = [
  'model',
  'entry',
  'kernels',
  'steps',
  'parameters',
  'outputs',
  'largest difference',
  'verdict',
  'given sizes',
]

async function models(): Promise<number> {
  const { dir, entries, json } = readArguments()
  if (!existsSync(dir)) throw new Error(`the models are not there: ${dir}`)
  const bundleDir = join(repository, 'enclave-runtime', 'dist')
  if (!existsSync(join(bundleDir, 'manifest.json'))) throw new Error('the enclave is not built')
  const inventory = readInventory(dir)
  if (inventory.length === 0) throw new Error(`there are no models in ${dir}`)
  const runs = inventory.flatMap((stored) => entries.map((entry) => ({ stored, entry })))
  const { stderr: stream, env } = process
  const bar = progressBar({ stream, env, label: 'models', total: runs.length, format: formatCount })
  const results: ModelResult[] = []
  for (const [i, { stored, entry }] of runs.entries()) {
    bar.update(i)
    results.push(await resultOf(() => checkModel(stored, { entry, bundleDir }), stored.name, entry))
  }
  bar.end()
  process.stdout.write(`${table(results.map(row), { head, align: 'lllrrrrll' })}\n`)
  const wrong = results.filter((it) => it.verdict === 'wrong')
  for (const { model, entry, detail } of wrong)
    process.stdout.write(`\nwrong ${model}, ${entry}: ${detail}\n`)
  writeJson(json, results)
  return wrong.length === 0 ? 0 : 1
}

await runTool(usage, models)
