// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { showMs } from '../../report/tables.ts'
import { networkNamed } from '../networks.ts'
import { measurePairs, type PairEstimate } from '../pairs.ts'
import { fitLine, plotSvg } from '../plot.ts'
import { withProviderOf } from '../with-provider.ts'
import type { Row } from './row.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'plots')

interface Growth {
  readonly name: string
  readonly title: string
  readonly xLabel: string
  readonly names: readonly string[]
  /** What grows, of a network. */
  readonly xOf: (name: string, pair: PairEstimate) => number
  /** Why the points leave the line, where they do. */
  readonly note: string
}

const gigaflop = (_: string, { macCount }: PairEstimate) => (2 * macCount) / 1e9
const sizesOf = (family: string, sizes: readonly number[]) => sizes.map((size) => `${family}-${size}`)

const growths: readonly Growth[] = [
  {
    name: 'depth',
    title: 'Layers one after another (3 × 3, 64 channels, 28 × 28)',
    xLabel: 'layers',
    names: sizesOf('depth', [1, 2, 4, 8, 16, 32]),
    xOf: (name) => Number(name.split('-')[1]),
    note: 'Guarded is steeper than plain: the 2 s of warm-up hold fewer of the longer queries.',
  },
  {
    name: 'width',
    title: 'Wider layers (4 of 3 × 3, 28 × 28)',
    xLabel: 'GFLOP',
    names: sizesOf('width', [32, 64, 128, 192, 256]),
    xOf: gigaflop,
    note: 'Narrow layers take more time for the same work: fewer columns share what is loaded.',
  },
  {
    name: 'size',
    title: 'Larger images (4 of 3 × 3, 64 channels)',
    xLabel: 'GFLOP',
    names: sizesOf('size', [14, 28, 56, 84, 112]),
    xOf: gigaflop,
    note: 'The input grows with the work, and is copied three times on its way.',
  },
  {
    name: 'batch',
    title: 'Larger batches of MobileNet-v1',
    xLabel: 'items',
    names: [1, 2, 4, 8, 16].map((count) => `mobilenetv1@${count}`),
    xOf: (name) => networkNamed(name).inputDims[0] ?? 1,
    note: '',
  },
]

const memoryNames = sizesOf('mib', [4, 16, 64, 128])

async function writePlot(name: string, svg: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.svg`), svg)
}

async function measureAll(names: readonly string[], count: number): Promise<readonly PairEstimate[]> {
  return await withProviderOf(names, async (provider, folder) => {
    const found = []
    for (const network of names) {
      found.push(await measurePairs({ provider, folder }, { network, entry: 'process', count }))
    }
    return found
  })
}

/** One growth: its plot, and what stands below it. */
async function latency(growth: Growth, count: number) {
  const pairs = await measureAll(growth.names, count)
  const xs = pairs.map((pair, i) => growth.xOf(growth.names[i] as string, pair))
  const points = (of: 'guardedMs' | 'plainMs') => pairs.map((it, i) => [xs[i] ?? 0, it[of].median] as const)
  const series = [
    { name: 'guarded', points: points('guardedMs') },
    { name: 'plain', points: points('plainMs') },
  ]
  const { title, xLabel, name, note } = growth
  await writePlot(name, plotSvg({ title, xLabel, yLabel: 'ms', series }))
  const { slope, offset } = fitLine(points('guardedMs'))
  const largestMs = Math.max(...points('guardedMs').map(([, y]) => y))
  const distances = points('guardedMs').map(([x, y]) => Math.abs(y - slope * x - offset) / largestMs)
  const worst = Math.max(...distances)
  const line = `![${title}](plots/${name}.svg)\n\nGuarded: ${showMs(slope)} ms for each of ${xLabel}; the points are within ${(100 * worst).toFixed(0)} % of the largest of their line. ${note}`
  return { name, pairs, xs, markdown: line.trim() }
}

async function memory(count: number) {
  const pairs = await measureAll(memoryNames, count)
  const points = pairs.map(
    (it) => [(4 * it.parameterCount) / 1_048_576, (it.enclaveSizeBytes ?? 0) / 1_048_576] as const,
  )
  const title = 'Memory of the enclave (process entry)'
  const plot = {
    title,
    xLabel: 'weights, MiB',
    yLabel: 'resident, MiB',
    series: [{ name: 'enclave', points }],
  }
  await writePlot('memory', plotSvg(plot))
  const { slope, offset } = fitLine(points)
  const line = `![${title}](plots/memory.svg)\n\nThe enclave takes ${offset.toFixed(0)} MiB without weights, and ${slope.toFixed(2)} MiB for each MiB of them.`
  return { name: 'memory', points, markdown: line }
}

export const work: Row = {
  name: 'work',
  title: 'Cost as the work grows',
  async run(isQuick) {
    const count = isQuick ? 5 : 30
    const results: { name: string; markdown: string }[] = []
    for (const growth of isQuick ? growths.slice(0, 1) : growths) results.push(await latency(growth, count))
    results.push(await memory(isQuick ? 3 : 10))
    return { markdown: results.map(({ markdown }) => markdown).join('\n\n'), data: results }
  },
}
