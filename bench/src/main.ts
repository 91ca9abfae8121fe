// SPDX-License-Identifier: Apache-2.0
// npm run bench: see `usage`.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, commonOptions, endWith, UsageError, writeJson } from './command-line.ts'
import { isInstalled } from './engines/peer-modules.ts'
import { networks } from './networks/index.ts'
import { compactMatches, matches } from './plan.ts'
import { writeReadme } from './report/readme.ts'
import { differenceTable, machineFacts, ratioTables } from './report/tables.ts'
import { type MatchResult, runMatch } from './run-match.ts'

const usage = `Measures our engines side by side with others, each network in turns within one run.

Usage: npm run bench -- [options]

  --quick           few rounds, without the largest networks in WebAssembly: about a minute
  --only NAMES      of ${Object.keys(networks).join(', ')}
  --threads COUNTS  of 1, 2
  --engine NAME     native or wasm
  --weights KIND    f16 or int8: our engine with weights kept so, beside float32 ones, and how far answers differ
  --rounds N        rounds that count, 20 by default, 5 with --quick
  --json FILE       write everything that was measured
  --readme          put the tables into bench/README.md, which takes a whole run
  --help            this text

The other engines come with npm run peers:install; without them, our own times stand alone.`

const peerPackages: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'onnxruntime-node',
  'onnxruntime-web': 'onnxruntime-web',
  'tfjs-wasm': '@tensorflow/tfjs-backend-wasm',
}

/** A turn of these takes seconds in WebAssembly. */
const isLarge = (network: string) => network === 'vgg16' || network.startsWith('resnet50')

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...commonOptions,
      threads: { type: 'string' },
      engine: { type: 'string' },
      weights: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const isPartial =
    values.quick ||
    [values.only, values.threads, values.engine, values.weights].some((it) => it !== undefined)
  if (values.readme && isPartial) throw new UsageError('--readme takes a whole run')
  const names = chosen(values.only, Object.keys(networks))
  const threads = chosen(values.threads, ['1', '2']).map(Number)
  const ours = chosen(values.engine, ['native', 'wasm'])
  const roundCount = Number(values.rounds ?? (values.quick ? 5 : 20))
  if (!Number.isInteger(roundCount) || roundCount < 1) throw new UsageError('--rounds takes a number from 1')
  const peersOf = (all: readonly string[]) => all.filter((name) => isInstalled(peerPackages[name] as string))
  const missing = Object.entries(peerPackages).filter(([, name]) => !isInstalled(name))
  if (missing.length > 0) {
    console.error(`not installed, see npm run peers:install: ${missing.map(([name]) => name).join(', ')}`)
  }
  console.error(`${machineFacts()}; load ${loadavg()[0]?.toFixed(2)}`)
  const results: MatchResult[] = []
  const [storage] = values.weights === undefined ? [] : chosen(values.weights, ['f16', 'int8'])
  const planned = storage === undefined ? matches : compactMatches(storage as 'f16' | 'int8')
  for (const match of planned) {
    const [engine = match.ours] = match.ours.split('-')
    if (!threads.includes(match.threadCount) || !ours.includes(engine)) continue
    for (const network of names) {
      if (match.targets[network] === undefined) continue
      if (values.quick && values.only === undefined && engine === 'wasm' && isLarge(network)) continue
      console.error(`${match.title}: ${network} …`)
      const peers = storage === undefined ? peersOf(match.peers) : match.peers
      results.push(await runMatch(match, network, peers, roundCount))
    }
  }
  console.log(`\n${ratioTables(results)}`)
  if (storage !== undefined) console.log(`\n${differenceTable(results)}`)
  if (values.readme) {
    const facts = `${machineFacts()}, ${new Date().toISOString().slice(0, 10)}; ${roundCount} rounds.`
    await writeReadme('npm run bench -- --readme', `${facts}\n\n${ratioTables(results)}`)
  }
  await writeJson(values.json, results)
}

await endWith(main)
