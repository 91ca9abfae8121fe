// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SealedPages, Tensor } from '@mlcapsule/contracts'
import { afterAll, describe, expect, it } from 'vitest'
import { createSession, type MemoryBudget } from '../engine/create-session.ts'
import type { Session } from '../engine/session.ts'
import type { WeightPages } from '../engine/weight-pages.ts'
import type { SealedWeights, WeightSource } from '../engine/weight-source.ts'
import { makeRecord } from '../records/record.ts'
import { SeededRandom } from '../testing/random.ts'
import { streamedProgram } from '../testing/streamed-program.ts'
import { createNativeKernels, nativeKernels } from './native-kernels.ts'

const pageSizeBytes = 16_384
const tagSizeBytes = 16
const frontSizeBytes = 777
const { program, weights } = streamedProgram()
const pageCount = Math.ceil(weights.length / pageSizeBytes)
const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-pager-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = randomBytes(32)
const nonceOf = (page: number) => Uint8Array.from({ length: 12 }, (_, i) => (i < 4 ? page >> (8 * i) : 9))
const associatedDataOf = (page: number) => Uint8Array.of(page, page >> 8, 3)

/** The weights, sealed page by page, in a file of their own. */
function sealedFile(name: string) {
  const path = join(folder, name)
  const parts: Uint8Array[] = [new Uint8Array(frontSizeBytes)]
  for (let page = 0; page < pageCount; page++) {
    const plain = new Uint8Array(pageSizeBytes)
    plain.set(weights.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes))
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(page)).setAAD(associatedDataOf(page))
    parts.push(cipher.update(plain), cipher.final(), cipher.getAuthTag())
  }
  writeFileSync(path, Buffer.concat(parts))
  return path
}

/** Ends the file within a page. */
function cutOff(path: string, page: number): void {
  truncateSync(path, frontSizeBytes + page * (pageSizeBytes + tagSizeBytes) + 100)
}

/** Changes one byte of a page: the last of its ciphertext, or of its tag. */
function damage(path: string, page: number, where: 'ciphertext' | 'tag'): void {
  const end = frontSizeBytes + page * (pageSizeBytes + tagSizeBytes) + pageSizeBytes
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(77, 78), 0, 2, where === 'tag' ? end + 3 : end - 2)
  closeSync(file)
}

function pagesOf(fileDescriptor: number, changes: Partial<SealedPages> = {}) {
  const seen = { opened: 0 }
  const list = Array.from({ length: pageCount }, (_, page) => page)
  const pages: WeightPages = {
    pageSizeBytes,
    pageCount,
    openInto() {
      seen.opened++
      return Promise.reject(new Error('the kernels open pages themselves'))
    },
    withSealed: (use) =>
      use({
        fileDescriptor,
        offsetBytes: frontSizeBytes,
        pageSizeBytes,
        pageCount,
        key,
        nonces: Buffer.concat(list.map(nonceOf)),
        associatedData: Buffer.concat(list.map(associatedDataOf)),
        ...changes,
      }),
  }
  return { pages, seen }
}

const shape = [1, 16, 12, 12]
const data = new SeededRandom(5).floats(16 * 144, -1, 1)
const image = new Map<string, Tensor>([['image', { dtype: 'float32', shape, data }]])

async function streaming(fileDescriptor: number, changes: Partial<SealedPages> = {}, threadCount = 1) {
  const { pages, seen } = pagesOf(fileDescriptor, changes)
  const budget = { sizeBytes: (nativeKernels.scratchSizeBytes?.(threadCount) ?? 0) + 1_000_000, pages }
  const options = { kernels: nativeKernels, program, weights, symbols: { N: 1 }, threadCount, budget }
  return { session: await createSession(options), seen }
}

describe('weights that a thread of the native kernels opens', () => {
  it('give the answers of weights that stay, with one thread and with two', async () => {
    const file = openSync(sealedFile('whole'), 'r')
    const whole = await createSession({ kernels: nativeKernels, program, weights, symbols: { N: 1 } })
    const expected = whole.run(image)
    for (const threadCount of [1, 2]) {
      const { session, seen } = await streaming(file, {}, threadCount)
      expect(session.memoryReport.stagingSizeBytes).toBeGreaterThan(0)
      for (let i = 0; i < 50; i++) expect(session.run(image)).toEqual(expected)
      expect(await session.runAsync(image)).toEqual(expected)
      expect(session.waitsForPages).toBe(false)
      expect(seen.opened).toBe(0)
      session.dispose()
    }
    whole.dispose()
    closeSync(file)
  })

  it('outlive the descriptor that they came from', async () => {
    const file = openSync(sealedFile('closed'), 'r')
    const { session } = await streaming(file)
    closeSync(file)
    expect(session.run(image).size).toBe(1)
    session.dispose()
  })

  const changes: [string, (path: string, page: number) => void][] = [
    ['a changed ciphertext', (path, page) => damage(path, page, 'ciphertext')],
    ['a changed tag', (path, page) => damage(path, page, 'tag')],
    ['a file that ends early', cutOff],
  ]
  it.each(changes)('%s ends the query with a code', async (name, change) => {
    const path = sealedFile(name)
    const file = openSync(path, 'r')
    const { session } = await streaming(file)
    expect(session.run(image).size).toBe(1)
    change(path, Math.floor(pageCount * 0.7))
    for (let i = 0; i < 3; i++) {
      expect(() => session.run(image)).toThrow(expect.objectContaining({ code: 'KERNEL_PAGE_INVALID' }))
    }
    session.dispose()
    closeSync(file)
  })

  const wrong: [string, Partial<SealedPages>][] = [
    ['a key', { key: randomBytes(32) }],
    ['nonces', { nonces: new Uint8Array(12 * pageCount) }],
    ['associated data', { associatedData: new Uint8Array(3 * pageCount) }],
    ['a place in the file', { offsetBytes: frontSizeBytes - 1 }],
  ]
  it.each(wrong)('another %s opens nothing', async (_, changes) => {
    const file = openSync(sealedFile('other'), 'r')
    const { session } = await streaming(file, changes)
    expect(() => session.run(image)).toThrow(expect.objectContaining({ code: 'KERNEL_PAGE_INVALID' }))
    session.dispose()
    closeSync(file)
  })

  it('that the file does not hold are opened between records instead', async () => {
    const file = openSync(sealedFile('short'), 'r')
    for (const changes of [{ offsetBytes: frontSizeBytes + 1 }, { fileDescriptor: 999_999 }]) {
      const { session, seen } = await streaming(file, changes)
      expect(session.waitsForPages).toBe(true)
      await expect(session.runAsync(image)).rejects.toThrow('the kernels open pages themselves')
      expect(seen.opened).toBe(1)
      session.dispose()
    }
    closeSync(file)
  })

  it('are not left behind by sessions that end midway', async () => {
    const file = openSync(sealedFile('many'), 'r')
    const sessions: Session[] = []
    for (let i = 0; i < 20; i++) sessions.push((await streaming(file)).session)
    for (const session of sessions) {
      session.run(image)
      session.dispose()
      expect(() => session.run(image)).toThrow(expect.objectContaining({ code: 'KERNEL_DISPOSED' }))
    }
    closeSync(file)
  })
})

/** The weights out of the file, with what the session asks of the source itself. */
function fileSource(fileDescriptor: number) {
  const seen = { asked: [] as [number, number][], opened: [] as number[] }
  const source: WeightSource = {
    sizeBytes: weights.length,
    async readInto(offsetBytes, target) {
      await Promise.resolve()
      seen.asked.push([offsetBytes, target.length])
      target.set(weights.subarray(offsetBytes, offsetBytes + target.length))
    },
    sealed: {
      pageSizeBytes,
      withSealed: (use) => pagesOf(fileDescriptor).pages.withSealed?.(use) ?? false,
      onOpened: (doneBytes) => seen.opened.push(doneBytes),
    },
  }
  return { source, seen }
}

describe('weights that stay, of a file', () => {
  const wholeCount = Math.floor(weights.length / pageSizeBytes)
  const options = { kernels: nativeKernels, program, symbols: { N: 1 } }
  const answerOf = async (given: WeightSource | Uint8Array, budget?: MemoryBudget) => {
    const session = await createSession({ ...options, weights: given, ...(budget && { budget }) })
    const answer = session.run(image)
    session.dispose()
    return answer
  }

  it('are opened by the kernels, but for the page that they do not fill', async () => {
    const file = openSync(sealedFile('resident'), 'r')
    const { source, seen } = fileSource(file)
    expect(await answerOf(source)).toEqual(await answerOf(weights))
    const rest = weights.length % pageSizeBytes
    expect(rest).toBeGreaterThan(0)
    expect(seen.asked).toEqual([[wholeCount * pageSizeBytes, rest]])
    expect(seen.opened.at(-1)).toBe(wholeCount * pageSizeBytes)
    expect(seen.opened).toEqual(seen.opened.toSorted((a, b) => a - b))
    closeSync(file)
  })

  it('are opened by the kernels beside those that come with each query', async () => {
    const file = openSync(sealedFile('both'), 'r')
    const { source, seen } = fileSource(file)
    const scratchSizeBytes = nativeKernels.scratchSizeBytes?.(1) ?? 0
    const { pages, seen: streamed } = pagesOf(file)
    expect(await answerOf(source, { sizeBytes: scratchSizeBytes + 1_300_000, pages })).toEqual(
      await answerOf(weights),
    )
    expect(seen.opened.at(-1)).toBeGreaterThan(2 * pageSizeBytes)
    expect(seen.asked.length).toBeGreaterThan(0)
    expect(streamed.opened).toBe(0)
    closeSync(file)
  })

  it.each([
    ['changed', (path: string, page: number) => damage(path, page, 'tag')],
    ['cut off', cutOff],
  ])('are asked of the source from the page on that was %s meanwhile', async (name, change) => {
    const path = sealedFile(`resident-${name}`)
    const file = openSync(path, 'r')
    const { source, seen } = fileSource(file)
    const page = Math.floor(pageCount / 2)
    const withSealed: SealedWeights['withSealed'] = (use) => {
      const isTaken = source.sealed?.withSealed(use) ?? false
      change(path, page)
      return isTaken
    }
    const sealed = { ...(source.sealed as SealedWeights), withSealed }
    expect(await answerOf({ ...source, sealed })).toEqual(await answerOf(weights))
    expect(seen.opened.every((doneBytes) => doneBytes <= page * pageSizeBytes)).toBe(true)
    expect(seen.asked[0]?.[0]).toBe(page * pageSizeBytes)
    expect(seen.asked.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0)).toBe(
      weights.length - page * pageSizeBytes,
    )
    closeSync(file)
  })

  it('are asked of the source where the file is none, or too short', async () => {
    const short = sealedFile('too-short')
    truncateSync(short, frontSizeBytes + (pageCount - 1) * (pageSizeBytes + tagSizeBytes))
    for (const path of ['/dev/zero', folder, short]) {
      const file = openSync(path, 'r')
      const { source, seen } = fileSource(file)
      expect(await answerOf(source), path).toEqual(await answerOf(weights))
      expect(seen.asked[0]?.[0]).toBe(0)
      expect(seen.opened).toEqual([])
      closeSync(file)
    }
  })

  it('end with a code where the kernels are disposed of meanwhile', async () => {
    const file = openSync(sealedFile('disposed'), 'r')
    const kernels = await nativeKernels.create({ memorySizeBytes: pageSizeBytes })
    pagesOf(file).pages.withSealed?.((sealed) => kernels.attachPages?.(sealed) ?? false)
    const pages = new Uint32Array(200_000)
    const filled = kernels.fillPages?.(pages, new Uint32Array(pages.length), () => undefined)
    kernels.dispose()
    await expect(filled).rejects.toMatchObject({ code: 'KERNEL_DISPOSED' })
    closeSync(file)
  })
})

it('streams are refused without pages, and where they leave them', async () => {
  const kernels = await createNativeKernels().create({ memorySizeBytes: 4 * pageSizeBytes })
  const stream = (page: number, addressBytes: number) => ({
    pages: Uint32Array.of(page),
    addressesBytes: Uint32Array.of(addressBytes),
    freedBy: Uint32Array.of(0),
    neededBy: Uint32Array.of(1),
  })
  const record = makeRecord('unary', { input: 0, output: 64, count: 1, unary: 0, alpha: 0, beta: 0 })
  const refused = expect.objectContaining({ code: 'KERNEL_STREAM_INVALID' })
  expect(() => kernels.load(record, stream(0, 0))).toThrow(refused)
  const file = openSync(sealedFile('streams'), 'r')
  expect(pagesOf(file).pages.withSealed?.((sealed) => kernels.attachPages?.(sealed) ?? false)).toBe(true)
  expect(pagesOf(file).pages.withSealed?.((sealed) => kernels.attachPages?.(sealed) ?? false)).toBe(false)
  const loaded = kernels.load(record, stream(0, pageSizeBytes))
  kernels.runSteps(loaded, 0, 1)
  expect(kernels.detachPages?.()).toBe(false)
  for (const [page, address] of [
    [pageCount, 0],
    [0, 32],
    [0, 3 * pageSizeBytes + 64],
  ] as const) {
    expect(() => kernels.load(record, stream(page, address)), `${page} ${address}`).toThrow(refused)
    const filled = kernels.fillPages?.(Uint32Array.of(page), Uint32Array.of(address), () => undefined)
    await expect(filled).rejects.toThrow(refused)
  }
  kernels.unload(loaded)
  expect(await kernels.fillPages?.(Uint32Array.of(1), Uint32Array.of(64), () => undefined)).toBe(1)
  expect([...kernels.memory.subarray(64, 64 + pageSizeBytes)]).toEqual([
    ...weights.subarray(pageSizeBytes, 2 * pageSizeBytes),
  ])
  expect(kernels.detachPages?.()).toBe(true)
  expect(kernels.detachPages?.()).toBe(false)
  await expect(kernels.fillPages?.(Uint32Array.of(1), Uint32Array.of(64), () => undefined)).rejects.toThrow(
    refused,
  )
  expect(() => kernels.load(record, stream(0, pageSizeBytes))).toThrow(refused)
  kernels.dispose()
  closeSync(file)
})
