// SPDX-License-Identifier: Apache-2.0
// npm run bench:attestation: see `usage`.
import { existsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, commonOptions, endWith, UsageError, writeJson } from '../command-line.ts'
import { writeReadme } from '../report/readme.ts'
import { estimateMedian, type MedianEstimate } from '../report/statistics.ts'
import { machineFacts, markdownTable, showEstimate, showMs } from '../report/tables.ts'
import { type MutationCost, mutationCost } from './mutations.ts'
import {
  type Contender,
  type Contenders,
  contendersFor,
  type Subject,
  subjects,
  vectorsDir,
} from './subjects.ts'

const usage = `Measures how long it takes to verify one piece of real evidence with all its chains, beside the bare checks of the same
signatures, and beside @phala/dcap-qvl where that verifies it too; then, of that evidence changed byte by byte, how much time
and memory the costliest refusal takes. Needs the attestation vectors of the reference data.

Usage: npm run bench:attestation -- [options]

  --stride N    change every Nth byte of the evidence, 37 by default: what the slowest refusal takes
  --quick       a tenth of the rounds
  --only NAMES  of ${Object.keys(subjects).join(', ')}
  --json FILE   write everything that was measured
  --readme      put the table into bench/README.md, which takes a whole run
  --help        this text`

const warmUpCount = 100

const kinds = ['ours', 'signatures', 'peer'] as const

interface Times {
  readonly ours: number
  readonly signatures: number
  readonly peer: number | null
}

async function timed(contender: Contender): Promise<number> {
  const from = performance.now()
  await contender()
  return performance.now() - from
}

/** All once, in turns that go forth and back. */
async function round(contenders: Contenders, index: number): Promise<Times> {
  const times: { ours: number; signatures: number; peer: number | null } = {
    ours: 0,
    signatures: 0,
    peer: null,
  }
  for (const kind of index % 2 === 0 ? kinds : kinds.toReversed()) {
    const contender = contenders[kind]
    if (contender !== null) times[kind] = await timed(contender)
  }
  return times
}

interface Row {
  readonly name: string
  readonly signatureCount: number
  readonly firstMs: number
  readonly oursMs: MedianEstimate
  readonly toSignatures: MedianEstimate
  readonly toPeer: MedianEstimate | null
}

async function measure(name: string, roundCount: number): Promise<Row> {
  const subject = subjects[name]
  if (subject === undefined) throw new UsageError(`there is no ${name}`)
  const contenders = await contendersFor(subject)
  // What a process pays that verifies one piece of evidence: nothing is compiled yet but by the run that looked.
  const firstMs = await timed(contenders.ours)
  for (let index = 0; index < warmUpCount; index++) await round(contenders, index)
  const rounds: Times[] = []
  for (let index = 0; index < roundCount; index++) rounds.push(await round(contenders, index))
  const ratios = rounds.flatMap(({ ours, peer }) => (peer === null ? [] : [ours / peer]))
  return {
    name,
    signatureCount: contenders.signatureCount,
    firstMs,
    oursMs: estimateMedian(rounds.map(({ ours }) => ours)),
    toSignatures: estimateMedian(rounds.map(({ ours, signatures }) => ours / signatures)),
    toPeer: ratios.length === 0 ? null : estimateMedian(ratios),
  }
}

const heads = [
  'evidence',
  'signatures',
  'second run, ms',
  'ours, ms',
  'target, ms',
  '',
  'ours / its signatures alone',
  'ours / dcap-qvl',
]

function cells({ name, signatureCount, firstMs, oursMs, toSignatures, toPeer }: Row): readonly string[] {
  const { title = name, targetMs = null } = subjects[name] ?? {}
  return [
    title,
    String(signatureCount),
    showMs(firstMs),
    showEstimate(oursMs),
    targetMs === null ? '–' : String(targetMs),
    targetMs === null ? '–' : oursMs.median <= targetMs ? 'met' : 'missed',
    showEstimate(toSignatures),
    toPeer === null ? '–' : showEstimate(toPeer),
  ]
}

const mutationHeads = ['evidence', 'mutations', 'accepted', 'slowest, ms', 'most memory, MiB']

function mutationCells(cost: MutationCost): readonly string[] {
  return [
    subjects[cost.name]?.title ?? cost.name,
    cost.mutationCount.toLocaleString('en-US'),
    String(cost.acceptedCount),
    showMs(cost.slowestMs),
    (cost.largestSizeBytes / 2 ** 20).toFixed(1),
  ]
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { ...commonOptions, stride: { type: 'string', default: '37' } } })
  if (values.help) {
    console.log(usage)
    return
  }
  if (values.readme && (values.quick || values.only !== undefined))
    throw new UsageError('--readme takes a whole run')
  if (!existsSync(vectorsDir)) throw new Error(`the attestation vectors are not there: ${vectorsDir}`)
  console.error(`${machineFacts()}; load ${loadavg()[0]?.toFixed(2)}`)
  const roundCount = values.quick ? 30 : 300
  const strideBytes = Number(values.stride)
  if (!Number.isInteger(strideBytes) || strideBytes < 1)
    throw new UsageError('--stride takes a number from 1')
  const rows: Row[] = []
  const costs: MutationCost[] = []
  for (const name of chosen(values.only, Object.keys(subjects))) {
    rows.push(await measure(name, roundCount))
    costs.push(await mutationCost(name, subjects[name] as Subject, strideBytes))
  }
  const about = `Every ${strideBytes === 1 ? '' : `${strideBytes}th `}byte of the evidence changed:`
  const table = [
    markdownTable(heads, rows.map(cells)),
    about,
    markdownTable(mutationHeads, costs.map(mutationCells)),
  ].join('\n\n')
  console.log(`\n${table}`)
  const facts = `${machineFacts()}, ${new Date().toISOString().slice(0, 10)}; ${roundCount} rounds.`
  if (values.readme) await writeReadme('npm run bench:attestation -- --readme', `${facts}\n\n${table}`)
  await writeJson(values.json, { rows, costs })
}

await endWith(main)
