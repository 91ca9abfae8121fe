// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { referenceKernels } from '../reference/index.ts'
import { SeededRandom } from '../testing/random.ts'
import { imageProgram } from '../testing/sample-programs.ts'
import { streamedProgram } from '../testing/streamed-program.ts'
import { wasmKernels } from '../wasm/index.ts'
import { createSession } from './create-session.ts'
import type { MemoryReport } from './session.ts'
import type { WeightPages } from './weight-pages.ts'

const pageSizeBytes = 16_384
const { program, weights } = streamedProgram()

/** Pages that are not sealed, with a count of those that were opened. */
function plainPages(bytes: Uint8Array = weights) {
  const seen = { opened: [] as number[] }
  const pages: WeightPages = {
    pageSizeBytes,
    pageCount: Math.ceil(bytes.length / pageSizeBytes),
    async openInto(page, target) {
      seen.opened.push(page)
      await Promise.resolve()
      target.fill(0).set(bytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes))
    },
  }
  return { pages, seen }
}

function image(batch: number, seed = 5): Map<string, Tensor> {
  const shape = [batch, 16, 12, 12]
  const data = new SeededRandom(seed).floats(batch * 16 * 144, -1, 1)
  return new Map([['image', { dtype: 'float32', shape, data }]])
}

const total = (report: MemoryReport) => Object.values(report).reduce((sum: number, it: number) => sum + it, 0)

/** The least budget, out of the error that names it. */
async function smallestBudget(kernels: KernelBackend, symbols: Record<string, number>): Promise<number> {
  const { pages } = plainPages()
  const budget = { sizeBytes: 1, pages }
  const failed = await createSession({ kernels, program, weights, symbols, budget }).catch(
    (it: unknown) => it,
  )
  expect(failed).toMatchObject({ code: 'KERNEL_BUDGET_TOO_SMALL', field: 'memoryBudgetSizeBytes' })
  return Number(/at least (\d+)/.exec((failed as Error).message)?.[1])
}

describe.each([referenceKernels, wasmKernels])('a session with a budget, on $name', (kernels) => {
  test('answers as one without, bit for bit, from the least budget up, and keeps to it', async () => {
    const whole = await createSession({ kernels, program, weights, symbols: { N: 1 } })
    const expected = whole.run(image(1)).get('y')
    const least = await smallestBudget(kernels, { N: 1 })
    const everything = total(whole.memoryReport)
    expect(least).toBeLessThan(everything - 400_000)
    for (const share of [0, 0.05, 0.2, 0.5, 0.8, 4]) {
      const sizeBytes = Math.round(least + share * (everything - least))
      const { pages, seen } = plainPages()
      const budget = { sizeBytes, pages }
      const session = await createSession({ kernels, program, weights, symbols: { N: 1 }, budget })
      const answer = session.waitsForPages ? await session.runAsync(image(1)) : session.run(image(1))
      expect(answer.get('y'), `${share}`).toEqual(expected)
      expect((await session.runAsync(image(1))).get('y')).toEqual(expected)
      expect(total(session.memoryReport)).toBeLessThanOrEqual(sizeBytes)
      expect(seen.opened.length > 0, `${share}`).toBe(share < 1)
      session.dispose()
    }
    whole.dispose()
  }, 60_000)

  test('opens fewer pages with a larger budget, and each page about once for a query', async () => {
    const least = await smallestBudget(kernels, { N: 1 })
    const counts: number[] = []
    for (const sizeBytes of [least, least + 200_000, least + 400_000]) {
      const { pages, seen } = plainPages()
      const options = { kernels, program, weights, symbols: { N: 1 }, budget: { sizeBytes, pages } }
      const session = await createSession(options)
      await session.runAsync(image(1))
      counts.push(seen.opened.length)
      expect(new Set(seen.opened).size / seen.opened.length).toBeGreaterThan(0.6)
      session.dispose()
    }
    expect(counts).toEqual([...counts].sort((a, b) => b - a))
    expect(counts[2]).toBeLessThan(counts[0] as number)
  })

  test('takes other batches as far as the budget reaches, and says so beyond', async () => {
    const whole = await createSession({ kernels, program, weights, symbols: { N: 1 } })
    const least = await smallestBudget(kernels, { N: 1 })
    const { pages } = plainPages()
    const options = { kernels, program, weights, guessedSymbols: { N: 1 } }
    const sizeBytes = least + 600_000
    const session = await createSession({ ...options, budget: { sizeBytes, pages } })
    const answered = (await session.runAsync(image(2))).get('y')
    expect(answered).toEqual(whole.run(image(2)).get('y'))
    await expect(session.runAsync(image(40))).rejects.toMatchObject({
      code: expect.stringMatching(/^KERNEL_(MEMORY_TOO_LARGE|BUDGET_TOO_SMALL)$/),
    })
    expect((await session.runAsync(image(2))).get('y')).toEqual(answered)
    expect(total(session.memoryReport)).toBeLessThanOrEqual(sizeBytes)
    session.dispose()
    whole.dispose()
  })
})

test('a model that cannot be streamed has all of its weights as the least budget', async () => {
  const sample = imageProgram()
  const { pages, seen } = plainPages(sample.weights)
  const options = { kernels: referenceKernels, ...sample, symbols: { N: 1 } }
  await expect(createSession({ ...options, budget: { sizeBytes: 4096, pages } })).rejects.toMatchObject({
    code: 'KERNEL_BUDGET_TOO_SMALL',
  })
  const session = await createSession({ ...options, budget: { sizeBytes: 1_000_000, pages } })
  expect(session.waitsForPages).toBe(false)
  expect(session.memoryReport.stagingSizeBytes).toBe(0)
  expect(seen.opened).toEqual([])
})

async function streamingSession(kernels: KernelBackend, pages: WeightPages) {
  const sizeBytes = (await smallestBudget(kernels, { N: 1 })) + 50_000
  return await createSession({ kernels, program, weights, symbols: { N: 1 }, budget: { sizeBytes, pages } })
}

test('one query at a time, and run() is refused where pages have to be waited for', async () => {
  const session = await streamingSession(referenceKernels, plainPages().pages)
  expect(() => session.run(image(1))).toThrow(expect.objectContaining({ code: 'KERNEL_OPTION_INVALID' }))
  const first = session.runAsync(image(1))
  await expect(session.runAsync(image(1))).rejects.toMatchObject({ code: 'KERNEL_BUSY' })
  await expect(first).resolves.toHaveProperty('size', 1)
})

test('a page that does not open ends the query, not the session', async () => {
  const { pages } = plainPages()
  let isBroken = true
  const session = await streamingSession(referenceKernels, {
    ...pages,
    openInto: (page, target) =>
      isBroken && page > 20 ? Promise.reject(new Error('no')) : pages.openInto(page, target),
  })
  await expect(session.runAsync(image(1))).rejects.toThrow('no')
  isBroken = false
  const whole = await createSession({ kernels: referenceKernels, program, weights, symbols: { N: 1 } })
  expect(await session.runAsync(image(1))).toEqual(whole.run(image(1)))
})

test('disposed of while it waits, it leaves nothing of the page that came late', async () => {
  let made: Kernels | undefined
  const backend: KernelBackend = {
    ...referenceKernels,
    create: async (options) => {
      made = await referenceKernels.create(options)
      return made
    },
  }
  const { pages } = plainPages()
  const late: Uint8Array[] = []
  const gate = Promise.withResolvers<void>()
  const session = await streamingSession(backend, {
    ...pages,
    async openInto(_, target) {
      late.push(target)
      await gate.promise
      target.fill(7)
    },
  })
  const answer = session.runAsync(image(1))
  session.dispose()
  gate.resolve()
  await expect(answer).rejects.toMatchObject({ code: 'KERNEL_DISPOSED' })
  expect(late.length).toBe(1)
  expect(late[0]?.every((byte) => byte === 0)).toBe(true)
})
