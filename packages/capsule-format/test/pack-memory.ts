// SPDX-License-Identifier: Apache-2.0
// Packs generated weights into a file and prints the most memory that the process ever held:
// node --conditions=@mlcapsule/source test/pack-memory.ts [MiB, 2048 when absent] [webcrypto | node]
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { webCryptoAead } from '@mlcapsule/crypto'
import { nodeAead } from '@mlcapsule/crypto/node'
import { openCapsule, writeCapsule } from '../src/index.ts'
import { fileCapsuleSink, fileSource } from '../src/node/index.ts'
import { description, publisher } from './fixtures.ts'

const mebibyte = 1_048_576
const sizeBytes = Number(process.argv[2] ?? 2_048) * mebibyte

async function* generatedWeights(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += mebibyte) {
    yield new Uint8Array(Math.min(mebibyte, sizeBytes - at)).fill((at / mebibyte) & 255)
  }
}

async function peakMebibytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024)
}

async function report(done: string, startMs: number): Promise<void> {
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
  console.log(`${done} in ${seconds} s, peak ${await peakMebibytes()} MiB`)
}

const folder = await mkdtemp(join(tmpdir(), 'pack-memory-'))
try {
  const path = join(folder, 'model.capsule')
  const aead = process.argv[3] === 'node' ? nodeAead : webCryptoAead
  let startMs = performance.now()
  const packed = await writeCapsule(await fileCapsuleSink(path), {
    core: description,
    publisher,
    program: new Uint8Array(1_000),
    weights: { sizeBytes, chunks: generatedWeights },
    aead,
  })
  await report(`packed ${packed.sizeBytes} bytes (${aead.name})`, startMs)
  startMs = performance.now()
  const capsule = await openCapsule(await fileSource(path), { publishers: [publisher.publicKey] })
  await capsule.verifyTree()
  await capsule.close()
  await report('verified the tree', startMs)
} finally {
  await rm(folder, { recursive: true, force: true })
}
