// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Kernels, Tensor } from '@mlcapsule/contracts'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSession } from '../engine/create-session.ts'
import { makeRecord } from '../records/record.ts'
import { floatWeights } from '../records/weights.ts'
import { kernelCases } from '../testing/kernel-suite.ts'
import { SeededRandom } from '../testing/random.ts'
import { imageProgram } from '../testing/sample-programs.ts'
import { nodeThreads } from '../threads/node/index.ts'
import type { KernelThread, StartThread, ThreadTask } from '../threads/threads.ts'
import { createWasmKernels, wasmKernels } from './index.ts'

interface Started {
  readonly task: ThreadTask
  readonly thread: KernelThread
  /** Settles when Node tells that the thread is no more. */
  readonly ended: Promise<unknown>
}

/** Threads as in service, which a test may look at and kill. */
function watchedThreads() {
  const started: Started[] = []
  const start = nodeThreads()
  const startThread: StartThread = (task, events) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const onLost = (cause: unknown) => {
      resolve(cause)
      events.onLost(cause)
    }
    const thread = start(task, { ...events, onLost })
    started.push({ task, thread, ended: promise })
    return thread
  }
  return { started, startThread }
}

/** A product that is shared out, and wakes threads: 1000 rows of 64, times 64 × 64. */
const memorySizeBytes = 4 * (64_000 + 4096 + 64_000)
const product = makeRecord('dense', {
  ...{ input: 0, weights: 256_000, output: 256_000 + 16_384, bias: 0, residual: 0 },
  ...{ rowCount: 1000, innerCount: 64, columnCount: 64, outputGap: 0, flags: 0 },
  ...{ activation: 0, activationAlpha: 0, activationBeta: 0 },
  ...floatWeights,
})

function multiply(kernels: Kernels): Float32Array {
  const { buffer, byteOffset } = kernels.memory
  new Float32Array(buffer, byteOffset, 68_096).set(new SeededRandom(3).floats(68_096))
  const handle = kernels.load(product)
  for (let i = 0; i < 20; i++) kernels.runStep(handle, 0)
  kernels.unload(handle)
  return new Float32Array(buffer, byteOffset + 272_384, 64_000).slice()
}

describe('wasm kernels with threads', () => {
  afterEach(() => vi.unstubAllGlobals())

  describe.each([2, 3])('%i workers', (threadCount) => {
    const problemCount = process.env.SLOW === '1' ? 300 : 15
    const kernels = createWasmKernels({ startThread: nodeThreads() })
    for (const { name, run } of kernelCases(kernels, { problemCount, threadCount })) it(name, run)
  })

  it('give the same bits, whatever their number', async () => {
    const kernels = createWasmKernels({ startThread: nodeThreads() })
    const one = await kernels.create({ memorySizeBytes })
    const expected = multiply(one)
    expect(expected.some((value) => value !== 0)).toBe(true)
    one.dispose()
    for (const threadCount of [2, 3, 5]) {
      const several = await kernels.create({ memorySizeBytes, threadCount })
      expect(several.isa).toBe('wasm-relaxed-simd-threads')
      expect(multiply(several)).toEqual(expected)
      several.dispose()
    }
  })

  it('run a program to the same bits as one thread', async () => {
    const data = new SeededRandom(9).floats(4 * 3 * 8 * 8)
    const inputs = new Map<string, Tensor>([['image', { dtype: 'float32', shape: [4, 3, 8, 8], data }]])
    const answers = []
    for (const threadCount of [1, 2, 3]) {
      const kernels = createWasmKernels({ startThread: nodeThreads() })
      const session = await createSession({ ...imageProgram(4), kernels, symbols: { N: 4 }, threadCount })
      answers.push(session.run(inputs).get('scores'))
      session.dispose()
    }
    const [one, ...others] = answers
    for (const answer of others) expect(answer).toEqual(one)
    expect(one?.data.buffer).toBeInstanceOf(ArrayBuffer)
    expect(others[0]?.data.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('grow while threads hold the memory', async () => {
    const kernels = await createWasmKernels({ startThread: nodeThreads() }).create({
      memorySizeBytes,
      maxMemorySizeBytes: 64 * memorySizeBytes,
      threadCount: 2,
    })
    const before = multiply(kernels)
    kernels.grow(64 * memorySizeBytes)
    expect(kernels.memory.length).toBe(64 * memorySizeBytes)
    expect(multiply(kernels)).toEqual(before)
    kernels.dispose()
  })

  it('end their threads and zero all that was used, when disposed of', async () => {
    const { started, startThread } = watchedThreads()
    const kernels = await createWasmKernels({ startThread }).create({ memorySizeBytes, threadCount: 3 })
    multiply(kernels)
    const memory = new Uint8Array(kernels.memory.buffer)
    const base = kernels.memory.byteOffset
    const [first] = started as [Started]
    const { exports } = new WebAssembly.Instance(first.task.module, { env: { memory: first.task.memory } })
    const stackEnd = exports.stackEnd as (worker: number) => number
    const scratchEnd = stackEnd(0)
    expect(stackEnd(2)).toBe(base)
    const scratch = memory.subarray(scratchEnd - 4 * 1024 * (3 * 416 + 884), scratchEnd)
    expect(scratch.some((byte) => byte !== 0)).toBe(true)
    kernels.dispose()
    expect(scratch.every((byte) => byte === 0)).toBe(true)
    expect(memory.subarray(base).every((byte) => byte === 0)).toBe(true)
    await Promise.all(started.map(({ ended }) => ended))
  })

  it('go on to the end of a loop when a thread dies, and refuse to serve further', async () => {
    const { started, startThread } = watchedThreads()
    const kernels = await createWasmKernels({ startThread }).create({ memorySizeBytes, threadCount: 2 })
    const expected = multiply(kernels)
    started[0]?.thread.end()
    // Nobody has told yet: what runs now does without the thread.
    expect(multiply(kernels)).toEqual(expected)
    await started[0]?.ended
    expect(() => multiply(kernels)).toThrow(expect.objectContaining({ code: 'KERNEL_THREAD_LOST' }))
    kernels.dispose()
  })

  it('do not wait for a task that a thread has failed at', async () => {
    const { started, startThread } = watchedThreads()
    const kernels = await createWasmKernels({ startThread }).create({ memorySizeBytes, threadCount: 2 })
    const { module, memory } = (started[0] as Started).task
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    ;(exports.failThreads as () => void)()
    expect(() => multiply(kernels)).toThrow(expect.objectContaining({ code: 'KERNEL_THREAD_LOST' }))
    kernels.dispose()
  })

  it('are refused, and the other threads ended, where one does not start', async () => {
    const { started, startThread } = watchedThreads()
    const failing: Record<string, StartThread> = {
      'throws at once': () => {
        throw new Error('no')
      },
      'has no program': nodeThreads(new URL('./nothing.ts', import.meta.url)),
      'has a program that ends': nodeThreads(new URL('data:text/javascript,process.exit(0)')),
      'cannot take the module': (task, events) =>
        nodeThreads()({ ...task, memory: new WebAssembly.Memory({ initial: 1 }) }, events),
    }
    for (const [name, second] of Object.entries(failing)) {
      const before = started.length
      const kernels = createWasmKernels({
        startThread: (task, events) => (task.worker === 2 ? second : startThread)(task, events),
      })
      await expect(kernels.create({ memorySizeBytes, threadCount: 3 }), name).rejects.toMatchObject({
        code: 'KERNEL_THREADS_UNAVAILABLE',
        field: 'threadCount',
      })
      expect(started.length).toBe(before + 1)
      await started.at(-1)?.ended
    }
  })

  it('are refused where threads cannot be had, never replaced by fewer', async () => {
    const threaded = createWasmKernels({ startThread: nodeThreads() })
    const refused = { code: 'KERNEL_THREADS_UNAVAILABLE', field: 'threadCount' }
    await expect(wasmKernels.create({ memorySizeBytes, threadCount: 2 })).rejects.toMatchObject(refused)
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    await expect(threaded.create({ memorySizeBytes, threadCount: 2 })).rejects.toMatchObject(refused)
    validate.mockRestore()
    vi.stubGlobal('SharedArrayBuffer', undefined)
    await expect(threaded.create({ memorySizeBytes, threadCount: 2 })).rejects.toMatchObject(refused)
    vi.unstubAllGlobals()
    for (const threadCount of [0, 65, 1.5]) {
      const invalid = { code: 'KERNEL_OPTION_INVALID', field: 'threadCount' }
      await expect(threaded.create({ memorySizeBytes, threadCount })).rejects.toMatchObject(invalid)
    }
  })

  it.each(['disposed of', 'forgotten'])('let the process end when they were %s', (fate) => {
    const source = `
      import { createWasmKernels } from './wasm/index.ts'
      import { nodeThreads } from './threads/node/index.ts'
      const kernels = await createWasmKernels({ startThread: nodeThreads() }).create({ memorySizeBytes: 64, threadCount: 3 })
      if (${fate === 'disposed of'}) kernels.dispose()
      console.log(kernels.isa)`
    const flags = ['--conditions=@mlcapsule/source', '--input-type=module', '--eval', source]
    const cwd = join(import.meta.dirname, '..')
    const output = execFileSync(process.execPath, flags, { cwd, encoding: 'utf8', timeout: 60_000 })
    expect(output).toBe('wasm-relaxed-simd-threads\n')
  })
})
