// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInstalled } from '../../engines/peer-modules.ts'
import { markdownTable } from '../../report/tables.ts'
import { runChild } from '../../run-child.ts'
import { measure } from '../measure.ts'
import { defense, startProvider } from '../provider.ts'
import { type Row, showMib } from './row.ts'

const cli = join(
  ...[
    import.meta.dirname,
    '..',
    '..',
    '..',
    '..',
    'apps',
    'provider-console',
    'bin',
    'mlcapsule-provider.mjs',
  ],
)
/**
 * Has a process say, on descriptor 3, what it held at most. Not by `getrusage`, whose figure goes on from that of the process
 * that started it.
 */
const tellPeak = `data:text/javascript,${encodeURIComponent(
  `import{readFileSync,writeSync}from'node:fs';process.on('exit',()=>writeSync(3,/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status','utf8'))[1]))`,
)}`

interface CommandCost {
  readonly seconds: number
  readonly peakSizeBytes: number
}

/** What a command of the built `mlcapsule-provider` costs, start of the process included. */
async function command(...args: readonly string[]): Promise<CommandCost> {
  const startedAtMs = performance.now()
  const child = spawn(process.execPath, ['--import', tellPeak, cli, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  let peak = ''
  child.stdio[3]?.on('data', (text: Buffer) => {
    peak += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`mlcapsule-provider ${args[0]} ended with ${code}`)
  return { seconds: (performance.now() - startedAtMs) / 1000, peakSizeBytes: 1024 * Number(peak) }
}

interface LoadResult {
  readonly weightsSizeBytes: number
  readonly activateMs: number
  readonly peakSizeBytes: number | null
  readonly answeredPeakSizeBytes: number | null
}

async function measureIn(folder: string, network: string) {
  const provider = await startProvider(folder, [network])
  const modelPath = join(folder, `${network}.onnx`)
  const args = ['pack', modelPath, '-o', join(folder, 'again.capsule'), '--store', provider.storeDir]
  const packArgs = [...args, '--force', '--defense', defense]
  const subject = { network, entry: 'process' as const, count: 1 }
  const withService = await command(...packArgs)
  const loads: LoadResult[] = []
  for (let turn = 0; turn < 3; turn++) loads.push(await measure('load', { provider, folder }, subject))
  await provider.close()
  const withStore = await command(...packArgs)
  const inspect = await command('license', 'list', '--store', provider.storeDir)
  const peer = isInstalled('onnxruntime-node')
    ? await runChild<{ readonly loadMs: number; readonly peakSizeBytes: number }>(
        join(import.meta.dirname, '..', 'peer-load-process.ts'),
        [modelPath],
      )
    : null
  return { withService, withStore, storeAlone: inspect, loads, peer }
}

export const pack: Row = {
  name: 'pack',
  title: 'Packing and loading, VGG-16 (528 MiB)',
  async run(isQuick) {
    const network = isQuick ? 'mobilenetv1' : 'vgg16'
    const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-bench-'))
    try {
      const { withService, withStore, storeAlone, loads, peer } = await measureIn(folder, network)
      const [load] = [...loads].sort((a, b) => a.activateMs - b.activateMs).slice(1) as [LoadResult]
      const rate = load.weightsSizeBytes / load.activateMs / 1e6
      const costs = ({ seconds, peakSizeBytes }: CommandCost) => [seconds.toFixed(1), showMib(peakSizeBytes)]
      const rows = [
        ['`mlcapsule-provider pack`, the service has the store', ...costs(withService), '6 s, 200 MiB'],
        ['`mlcapsule-provider pack`, opening the store itself', ...costs(withStore), '6 s, 200 MiB'],
        ['`mlcapsule-provider license list`: the store alone', ...costs(storeAlone), '–'],
        [
          `activation and load: ${rate.toFixed(2)} GB/s`,
          (load.activateMs / 1000).toFixed(2),
          showMib(load.peakSizeBytes),
          '1 GB/s, 620 MiB',
        ],
        ['the same, after the first answer', '–', showMib(load.answeredPeakSizeBytes), '–'],
        ...(peer === null
          ? []
          : [['onnxruntime-node, load', (peer.loadMs / 1000).toFixed(2), showMib(peer.peakSizeBytes), '–']]),
      ]
      return {
        markdown: markdownTable(['', 's', 'peak, MiB', 'target'], rows),
        data: { network, withService, withStore, storeAlone, loads, peer },
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
