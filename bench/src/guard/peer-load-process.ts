// SPDX-License-Identifier: Apache-2.0
// onnxruntime-node with a model from a file, in a process of its own: `FILE`. Says what it held at most.
import { readFileSync } from 'node:fs'
import { loadPeer } from '../engines/peer-modules.ts'

interface PeerModule {
  readonly InferenceSession: {
    create(path: string, options: Readonly<Record<string, unknown>>): Promise<unknown>
  }
}

const { InferenceSession } = await loadPeer<PeerModule>('onnxruntime-node')
const startMs = performance.now()
await InferenceSession.create(process.argv[2] ?? '', { intraOpNumThreads: 1, graphOptimizationLevel: 'all' })
const loadMs = performance.now() - startMs
const [, peakKib] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
const result = { loadMs, peakSizeBytes: 1024 * Number(peakKib) }
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
