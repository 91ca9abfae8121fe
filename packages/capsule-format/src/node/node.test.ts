// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  description,
  oddChunks,
  pack,
  publisher,
  seededBytes,
  smallPageSizeBytes,
} from '../../test/fixtures.ts'
import { openCapsule, type WriteCapsuleOptions, writeCapsule } from '../index.ts'
import { fileCapsuleSink, fileSource } from './index.ts'

const options: WriteCapsuleOptions = {
  core: description,
  publisher,
  program: new Uint8Array(10),
  weights: {
    sizeBytes: 10_000,
    chunks: () =>
      (async function* () {
        yield* oddChunks(seededBytes('w', 10_000))
      })(),
  },
  pageSizeBytes: smallPageSizeBytes,
}
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capsule-'))
  path = join(folder, 'model.capsule')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const withCode = (code: string): unknown => expect.objectContaining({ code })

describe('fileCapsuleSink and fileSource', () => {
  test('round trip; only the capsule is left in the folder', async () => {
    const packed = await writeCapsule(await fileCapsuleSink(path), options)
    expect(await readdir(folder)).toEqual(['model.capsule'])
    expect((await readFile(path)).length).toBe(packed.sizeBytes)
    const capsule = await openCapsule(await fileSource(path), { publishers: [publisher.publicKey] })
    await capsule.verifyTree()
    await capsule.close()
  })

  test('does not replace a file unless told', async () => {
    await writeFile(path, 'old')
    await expect(fileCapsuleSink(path)).rejects.toThrowError(withCode('CAPSULE_FILE_EXISTS'))
    expect(await readFile(path, 'utf8')).toBe('old')
    await writeCapsule(await fileCapsuleSink(path, { overwrite: true }), options)
    expect((await readFile(path)).length).toBeGreaterThan(60_000)
    expect(await readdir(folder)).toEqual(['model.capsule'])
  })

  test('does not replace a file that appears while it writes', async () => {
    const sink = await fileCapsuleSink(path)
    await writeFile(path, 'newer')
    await expect(writeCapsule(sink, options)).rejects.toThrowError(withCode('CAPSULE_FILE_EXISTS'))
    expect(await readFile(path, 'utf8')).toBe('newer')
    expect(await readdir(folder)).toEqual(['model.capsule'])
  })

  test('leaves nothing behind when the weights fail', async () => {
    const weights = { sizeBytes: 10_000, chunks: [new Uint8Array(9_000)] }
    await expect(writeCapsule(await fileCapsuleSink(path), { ...options, weights })).rejects.toThrowError(
      withCode('CAPSULE_INPUT_SIZE_MISMATCH'),
    )
    expect(await readdir(folder)).toEqual([])
  })

  test('an existing file survives a failed overwrite', async () => {
    await writeFile(path, 'old')
    const weights = { sizeBytes: 10_000, chunks: [] }
    const sink = await fileCapsuleSink(path, { overwrite: true })
    await expect(writeCapsule(sink, { ...options, weights })).rejects.toThrow()
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['model.capsule'])
  })

  test('a folder that is not there', async () => {
    await expect(fileCapsuleSink(join(folder, 'none', 'm.capsule'))).rejects.toThrowError(
      withCode('CAPSULE_WRITE_FAILED'),
    )
  })

  test.each([
    ['a missing file', () => Promise.resolve()],
    ['a folder', () => mkdir(path)],
    ['a link to nowhere', () => symlink(join(folder, 'nowhere'), path)],
  ])('%s is not a source', async (_, prepare) => {
    await prepare()
    await expect(fileSource(path)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })

  test('a file that shrinks under the reader', async () => {
    await writeFile(path, (await pack(new Uint8Array(10), new Uint8Array(10_000))).bytes)
    const capsule = await openCapsule(await fileSource(path), { publishers: [publisher.publicKey] })
    await truncate(path, 30_000)
    await expect(capsule.verifyTree()).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
    await capsule.close()
  })
})
