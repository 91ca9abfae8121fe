// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { toHex } from '@mlcapsule/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  blobSource,
  capsuleErrorTable,
  httpRangeSource,
  memorySource,
  type RandomAccessSource,
} from '../src/index.ts'
import { fileSource } from '../src/node/index.ts'
import { generateVectors } from './vectors/generate.ts'
import { loadVectors, vectorsFolder } from './vectors/load.ts'
import { codeOf, runVector } from './vectors/run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vectors-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const vectors = loadVectors()

/** Serves ranges of `bytes`, a few hundred bytes at a time. */
function chunkedFetch(bytes: Uint8Array): typeof globalThis.fetch {
  return (_, init) => {
    const range = new Headers(init?.headers).get('Range') ?? ''
    const [start, end] = range.replace('bytes=', '').split('-').map(Number) as [number, number]
    if (bytes.length === 0) return Promise.resolve(new Response(null, { status: 416 }))
    const last = Math.min(end, bytes.length - 1)
    let at = start
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at > last) {
          controller.close()
          return
        }
        const next = Math.min(at + 777, last + 1)
        controller.enqueue(bytes.slice(at, next))
        at = next
      },
    })
    const headers = { 'Content-Range': `bytes ${start}-${last}/${bytes.length}` }
    return Promise.resolve(new Response(body, { status: 206, headers }))
  }
}

const sources: Readonly<Record<string, (bytes: Uint8Array, name: string) => Promise<RandomAccessSource>>> = {
  memory: (bytes) => Promise.resolve(memorySource(bytes)),
  file: async (bytes, name) => {
    const path = join(folder, `${name}.capsule`)
    await writeFile(path, bytes)
    return await fileSource(path)
  },
  blob: (bytes) => Promise.resolve(blobSource(new Blob([Uint8Array.from(bytes)]))),
  'ranges in chunks': (bytes) => httpRangeSource('http://vectors.invalid/', { fetch: chunkedFetch(bytes) }),
}

describe.each(Object.entries(sources))('vectors from %s', (_, open) => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', async (name, vector) => {
    let source: RandomAccessSource
    try {
      source = await open(vector.bytes, name)
    } catch (error) {
      expect({ open: codeOf(error) }).toEqual(vector.expected)
      return
    }
    const outcome = await runVector(source, vector.publishers, vector.contentKey)
    await source.close?.()
    expect(outcome).toMatchObject(vector.expected)
    expect(outcome.failsAt).toEqual(vector.expected.failsAt)
    if (vector.expected.released === undefined && outcome.pages !== 'ok')
      expect(outcome.released).toBeUndefined()
  })
})

test('the generator gives the vectors that are here, byte for byte', async () => {
  const generated = await generateVectors()
  const entries = await readdir(vectorsFolder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && /^(bases|cases)$/.test(relative(vectorsFolder, entry.parentPath)))
    .map((entry) => relative(vectorsFolder, join(entry.parentPath, entry.name)))
  expect(paths.sort()).toEqual([...generated.keys()].sort())
  for (const [path, bytes] of generated) {
    expect(toHex(await readFile(join(vectorsFolder, path))), path).toBe(toHex(bytes))
  }
})

test('every code that a reader can give has a vector', () => {
  const seen = new Set(vectors.flatMap(({ expected }) => Object.values(expected)))
  const others = Object.keys(capsuleErrorTable).filter((code) => !seen.has(code))
  // Codes of the writer, of sources, and of misuse.
  expect(others).toEqual([
    'CAPSULE_PAGE_INVALID',
    'CAPSULE_OPTIONS_INVALID',
    'CAPSULE_INPUT_SIZE_MISMATCH',
    'CAPSULE_FILE_EXISTS',
    'CAPSULE_WRITE_FAILED',
    'CAPSULE_SOURCE_FAILED',
    'CAPSULE_SOURCE_CHANGED',
    'CAPSULE_RANGE_UNSUPPORTED',
  ])
  expect(seen).toContain('SEAL_OPEN_FAILED')
})
