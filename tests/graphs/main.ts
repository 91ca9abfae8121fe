// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { formatCount, progressBar, table } from '@mlcapsule/terminal'
import { chooseBackends } from '../support/backends.ts'
import { runTool, writeJson } from '../support/run-tool.ts'
import { UsageError } from '../support/usage-error.ts'
import { type Difference, type FuzzReport, fuzzGraphs, type SeedsByReason } from './fuzz.ts'
import type { GraphVerdict } from './judge-graph.ts'
import { loadPeer } from './peer.ts'

const usage = `usage: npm run fuzz:graphs -- [options]
  --count N      graphs to build, 10000 by default
  --seed N       of the first graph; the following ones count on. 1 by default
  --verbose      why graphs are not supported, and what the peer does not take
  --json FILE    write the report there too`

function readArguments() {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  const number = (name: 'count' | 'seed') => {
    if (!/^\d{1,9}$/.test(values[name])) throw new UsageError(`--${name} is a whole number`)
    return Number(values[name])
  }
  if (number('count') === 0) throw new UsageError('--count is 1 or more')
  return { ...values, count: number('count'), seed: number('seed') }
}

const showDifference = ({ seed, detail, graph }: Difference) =>
  process.stdout.write(`difference at seed ${seed}: ${detail}\n  ${graph.replaceAll('\n', '\n  ')}\n\n`)

function formatReasons(title: string, reasons: SeedsByReason): string {
  const rows = Object.entries(reasons)
    .sort((a, b) => b[1].length - a[1].length)
    .map(([reason, seeds]) => [String(seeds.length), reason, `seed ${seeds[0]}`])
  return rows.length === 0 ? '' : `\n${title}\n${table(rows, { align: 'rl', indent: '  ' })}\n`
}

const meanings: Readonly<Record<GraphVerdict, string>> = {
  same: 'all runtimes agree',
  unsupported: 'we say that we do not do it',
  refused: 'neither we nor the peer take it',
  unconfirmed: 'our backends agree, the peer does not take it',
  difference: 'runtimes differ beyond the bounds of their operators',
}

function format({ counts, operators, reasons }: FuzzReport, verbose: boolean): string {
  const total = Object.values(counts).reduce((a, b) => a + b, 0)
  const rows = (Object.keys(meanings) as GraphVerdict[]).map((verdict) => [
    verdict,
    formatCount(counts[verdict]),
    `${((100 * counts[verdict]) / total).toFixed(2)} %`,
    meanings[verdict],
  ])
  const nodeCount = Object.values(operators).reduce((a, b) => a + b, 0)
  const size = `${formatCount(total)} graphs, ${formatCount(nodeCount)} nodes of ${Object.keys(operators).length} operators`
  const more = Object.entries(reasons).map(([title, it]) => formatReasons(title, it))
  return `${table(rows, { head: ['verdict', 'graphs', 'share', ''], align: 'lrrl' })}\n\n${size}\n${verbose ? more.join('') : ''}`
}

await runTool(usage, async () => {
  const { count, seed, verbose, json } = readArguments()
  const print = (line: string) => process.stdout.write(`${line}\n`)
  const backends = await chooseBackends(undefined, ['native', 'wasm', 'reference'], print)
  const peer = loadPeer()
  if (peer === null) print('peers are not installed (npm run peers:install): our backends are compared alone')
  const { stderr: stream, env } = process
  const bar = progressBar({ stream, env, label: 'graphs', total: count, format: formatCount })
  const report = await fuzzGraphs({
    count,
    seed,
    backends,
    peer,
    onProgress: (done) => bar.update(done),
    onDifference: showDifference,
  }).finally(() => {
    bar.end()
    peer?.close()
  })
  process.stdout.write(format(report, verbose))
  const names = [...backends.map((it) => it.name), ...(peer === null ? [] : [peer.name])]
  print(`compared: ${names.join(', ')}; seeds ${seed} to ${seed + count - 1}`)
  writeJson(json, { runtimes: names, seed, count, ...report })
  return report.counts.difference === 0 ? 0 : 1
})
