// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Capsule, openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import type { Tensor } from '@mlcapsule/contracts'
import type { EnclaveError, EnclaveHandle } from '@mlcapsule/enclave-bridge'
import {
  type LaunchOptions,
  launchEnclave,
  nativeKernelsAddonPath,
  sharedMemoryAddonPath,
} from '@mlcapsule/enclave-bridge/node'
import { bridgeLimits } from '@mlcapsule/enclave-bridge/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { challengeFor, createWorld, denseModel, respond, type World } from './world.ts'

const [inputCount, classCount] = [2048, 1024]
const mebibyte = 1_048_576
/** The weights take 8 MiB, the kernels' scratch 5.1 MiB: with all of them in memory it would take more than 13 MiB. */
const memoryBudgetSizeBytes = 8 * mebibyte

const root = join(import.meta.dirname, '..', '..')
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-streaming-'))
const bundleDir = join(home, 'enclave')
const capsulePath = join(home, 'wide.capsule')
let world: World
beforeAll(async () => {
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', 'build/build.mjs', bundleDir], {
    cwd: join(root, 'enclave-runtime'),
    stdio: 'pipe',
  })
  world = await createWorld({ model: denseModel(inputCount, classCount), change: { pageSizeBytes: 65_536 } })
  writeFileSync(capsulePath, world.bytes)
}, 60_000)
const opened: Capsule[] = []
afterAll(async () => {
  for (const capsule of opened) await capsule.close()
  rmSync(home, { recursive: true, force: true })
})

function query(seed: number, itemCount = 1): Map<string, Tensor> {
  const data = Float32Array.from({ length: itemCount * inputCount }, (_, i) => Math.cos(seed * 7 + i) / 50)
  return new Map([['x', { dtype: 'float32', shape: [itemCount, inputCount], data }]])
}

/** The capsule's file, with a count of the pages that the host reads for the enclave. */
async function openCounted(path = capsulePath): Promise<{ capsule: Capsule; seen: { pageCount: number } }> {
  const capsule = await openCapsule(await fileSource(path), { publishers: [world.publisher.publicKey] })
  opened.push(capsule)
  const seen = { pageCount: 0 }
  return {
    seen,
    capsule: {
      ...capsule,
      readPages: (blob, first, count) => {
        seen.pageCount += count
        return capsule.readPages(blob, first, count)
      },
    },
  }
}

async function activated(capsule: Capsule, stateDir: string, options: Partial<LaunchOptions>) {
  const handle = await launchEnclave({ entry: 'process', bundleDir, stateDir, capsule, ...options })
  const challenge = await challengeFor(world)
  const offer = await handle.beginActivation(challenge.token)
  const active = await handle.finishActivation(await respond(world, challenge, offer, { blockMax: 100 }))
  return { handle, active }
}

async function answers(handle: EnclaveHandle): Promise<Tensor[]> {
  const all: Tensor[] = []
  for (const seed of [1, 2, 3]) all.push((await handle.infer(query(seed))).outputs.get('y') as Tensor)
  return all
}

const hasNative = nativeKernelsAddonPath() !== undefined
const hasRings = existsSync(sharedMemoryAddonPath())
const variants = [
  { name: 'worker', launch: { entry: 'worker', kernels: 'wasm' }, readsItself: false, isHere: true },
  { name: 'process with wasm kernels', launch: { kernels: 'wasm' }, readsItself: false, isHere: true },
  {
    name: 'process with native kernels',
    launch: { kernels: 'native' },
    readsItself: true,
    isHere: hasNative,
  },
  {
    name: 'process with native kernels and no rings',
    launch: { kernels: 'native', sharedMemory: false },
    readsItself: true,
    isHere: hasNative && hasRings,
  },
] as const

describe.each(variants)('weights beyond the budget, in a $name', ({ name, launch, readsItself, isHere }) => {
  const missing = isHere ? '' : ' (skipped: the addons are not built here)'
  const stateDir = (use: string) => join(home, `${name.replaceAll(' ', '-')}-${use}`)
  const run = isHere ? test : test.skip

  run(
    `come with each query, and the answers are those of an enclave without a budget${missing}`,
    async () => {
      const whole = await activated((await openCounted()).capsule, stateDir('whole'), launch)
      expect(whole.active.memorySizeBytes).toBeGreaterThan(13 * mebibyte)
      const expected = await answers(whole.handle)
      await whole.handle.close()

      const { capsule, seen } = await openCounted()
      const within = await activated(capsule, stateDir('within'), { ...launch, memoryBudgetSizeBytes })
      expect(within.active.memorySizeBytes).toBeLessThanOrEqual(memoryBudgetSizeBytes)
      const before = seen.pageCount
      expect(await answers(within.handle)).toEqual(expected)
      // Kernels that read the file themselves ask the host for nothing.
      if (readsItself) expect(seen.pageCount).toBe(before)
      else expect(seen.pageCount).toBeGreaterThan(before + 3 * 80)
      await within.handle.close()
    },
  )

  run(`that were changed end the enclave, and cost nothing${missing}`, async () => {
    const path = join(home, `${name.replaceAll(' ', '-')}.capsule`)
    const bytes = readFileSync(capsulePath)
    writeFileSync(path, bytes)
    const options = { ...launch, memoryBudgetSizeBytes }
    const { handle } = await activated((await openCounted(path)).capsule, stateDir('changed'), options)
    await handle.infer(query(1))
    const file = openSync(path, 'r+')
    const at = bytes.length - 5_000_000
    writeSync(file, Uint8Array.of((bytes[at] as number) ^ 1), 0, 1, at)
    const failure = await handle.infer(query(2)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: readsItself ? 'KERNEL_PAGE_INVALID' : 'SEAL_OPEN_FAILED' })
    await expect(handle.infer(query(3))).rejects.toMatchObject({ code: 'ENCLAVE_STOPPED' })
    handle.disconnect()
    await handle.closed

    writeSync(file, bytes.subarray(at, at + 1), 0, 1, at)
    closeSync(file)
    const again = await launchEnclave({
      entry: 'process',
      bundleDir,
      stateDir: stateDir('changed'),
      capsule: (await openCounted(path)).capsule,
      ...options,
    })
    expect((await again.resume()).usage).toMatchObject({ unitsSpent: 1, uncleanCount: 0 })
    expect((await again.infer(query(2))).outputs.size).toBe(1)
    await again.close()
  })

  run(`need a least budget, which the refusal names${missing}`, async () => {
    const { capsule } = await openCounted()
    const options = { ...launch, memoryBudgetSizeBytes: mebibyte }
    const refused = activated(capsule, stateDir('small'), options)
    const error = await refused.catch((it: unknown) => it)
    expect(error).toMatchObject({ code: 'ENCLAVE_BUDGET_TOO_SMALL' })
    const [least = 0] = (error as EnclaveError).numbers
    expect(least % mebibyte).toBe(0)
    expect(least).toBeLessThanOrEqual(memoryBudgetSizeBytes)
    const enough = { ...launch, memoryBudgetSizeBytes: least }
    const { handle, active } = await activated((await openCounted()).capsule, stateDir('least'), enough)
    expect(active.memorySizeBytes).toBeLessThanOrEqual(least)
    expect((await handle.infer(query(1))).outputs.size).toBe(1)
    await handle.close()
  })
})

describe.skipIf(!hasNative)(
  `weights that stay, out of a file that the host may change${hasNative ? '' : ' (skipped: no native kernels)'}`,
  () => {
    const launch = { kernels: 'native' } as const
    const weightsPageCount = (capsule: Capsule) => capsule.header.blobs.weights.pageCount

    /** A capsule's file of its own, open, and how the host serves it. */
    async function ownFile(name: string) {
      const path = join(home, `${name}.capsule`)
      writeFileSync(path, world.bytes)
      return { path, ...(await openCounted(path)) }
    }

    /** An activation as far as the response, which then may be given again and again. */
    async function offered(capsule: Capsule, stateDir: string) {
      const options = { entry: 'process', bundleDir, stateDir: join(home, stateDir), capsule } as const
      const handle = await launchEnclave({ ...options, ...launch })
      const challenge = await challengeFor(world)
      return {
        handle,
        response: await respond(world, challenge, await handle.beginActivation(challenge.token)),
      }
    }

    test('take no way through the host, but for the page that they do not fill', async () => {
      const { capsule, seen } = await ownFile('direct')
      const { handle, response } = await offered(capsule, 'direct')
      await handle.finishActivation(response)
      const programPageCount = capsule.header.blobs.program.pageCount
      expect(weightsPageCount(capsule)).toBeGreaterThan(100)
      // One call, which brings the padding after it too.
      expect(seen.pageCount).toBeLessThanOrEqual(programPageCount + bridgeLimits.pagesPerCallMaxCount)
      expect((await handle.infer(query(1))).outputs.size).toBe(1)
      await handle.close()
    })

    test('are refused where a page is changed, and loaded once it is right again', async () => {
      const { path, capsule } = await ownFile('changed-at-load')
      const { handle, response } = await offered(capsule, 'changed-at-load')
      const file = openSync(path, 'r+')
      const at = world.bytes.length - 3_000_000
      writeSync(file, Uint8Array.of((world.bytes[at] as number) ^ 1), 0, 1, at)
      await expect(handle.finishActivation(response)).rejects.toMatchObject({ code: 'SEAL_OPEN_FAILED' })
      await expect(handle.infer(query(1))).rejects.toMatchObject({ code: 'ENCLAVE_STATE_INVALID' })
      writeSync(file, world.bytes, at, 1, at)
      closeSync(file)
      await handle.finishActivation(response)
      expect((await handle.infer(query(1))).unitsLeft).toBe(99)
      await handle.close()
    })

    test.each([
      ['in the midst of its pages', 3_000_000],
      ['to nothing', 0],
    ])('are refused where the file is cut short %s, and the enclave goes on', async (name, sizeBytes) => {
      const { path, capsule } = await ownFile(`cut ${name}`)
      const { handle, response } = await offered(capsule, `cut ${name}`)
      truncateSync(path, sizeBytes)
      await expect(handle.finishActivation(response)).rejects.toMatchObject({ code: 'BRIDGE_CALL_FAILED' })
      writeFileSync(path, world.bytes)
      await handle.finishActivation(response)
      expect((await handle.infer(query(1))).unitsLeft).toBe(99)
      await handle.close()
    })

    test('are asked of the host where the descriptor is of another file, and the answers are right', async () => {
      const { capsule: own } = await ownFile('own')
      const whole = await offered(own, 'own')
      await whole.handle.finishActivation(whole.response)
      const expected = await answers(whole.handle)
      await whole.handle.close()

      const another = await createWorld({
        model: denseModel(inputCount, classCount),
        change: { pageSizeBytes: 65_536 },
      })
      const anotherPath = join(home, 'another.capsule')
      writeFileSync(anotherPath, another.bytes)
      for (const [i, path] of [anotherPath, '/dev/zero', home].entries()) {
        const { capsule, seen } = await ownFile(`other-${i}`)
        const file = openSync(path, 'r')
        const { handle, response } = await offered({ ...capsule, fileDescriptor: file }, `other-${i}`)
        closeSync(file)
        await handle.finishActivation(response)
        expect(seen.pageCount, path).toBeGreaterThanOrEqual(weightsPageCount(capsule))
        expect(await answers(handle), path).toEqual(expected)
        await handle.close()
      }
    })
  },
)

test.each([1, 2 ** 41, 1.5 * mebibyte + 0.5])('a budget of %d bytes is refused', async (sizeBytes) => {
  const { capsule } = await openCounted()
  const launch = launchEnclave({
    entry: 'worker',
    bundleDir,
    stateDir: join(home, 'refused'),
    capsule,
    memoryBudgetSizeBytes: sizeBytes,
  })
  await expect(launch).rejects.toMatchObject({
    code: 'BRIDGE_OPTION_INVALID',
    field: 'memoryBudgetSizeBytes',
  })
})
