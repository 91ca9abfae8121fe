// SPDX-License-Identifier: Apache-2.0
import { type AeadProvider, equalBytes, keyThumbprint, utf8Bytes, webCryptoAead } from '@mlcapsule/crypto'
import { nodeAead } from '@mlcapsule/crypto/node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  authority,
  description,
  oddChunks,
  pack,
  publisher,
  seededBytes,
  smallPageSizeBytes,
} from '../../test/fixtures.ts'
import {
  type BlobName,
  type Capsule,
  type CapsuleDescriptionInput,
  CapsuleKeys,
  type CapsuleSink,
  decodeProgramBlob,
  memoryCapsuleSink,
  memorySource,
  openCapsule,
  type PackResult,
  type WriteCapsuleOptions,
  writeCapsule,
} from '../index.ts'

const program: Uint8Array = seededBytes('program', 500)

async function openBlob(capsule: Capsule, keys: CapsuleKeys, blob: BlobName): Promise<Uint8Array> {
  const { pageCount, pageSizeBytes, paddedSizeBytes } = capsule.header.blobs[blob]
  const plaintext = new Uint8Array(paddedSizeBytes)
  for (let index = 0; index < pageCount; index++) {
    const sealed = await capsule.readPage(blob, index)
    await keys.openPageInto(plaintext.subarray(index * pageSizeBytes), sealed, blob, index)
  }
  return plaintext
}

describe('round trip', () => {
  test('sizes around the borders of pages and padding', async () => {
    const nearBorder = fc
      .tuple(fc.nat({ max: 5 }), fc.integer({ min: -2, max: 2 }))
      .map(([pages, delta]) => Math.max(0, pages * smallPageSizeBytes + delta))
    const nearPadding = fc.integer({ min: 65_536 - 60, max: 65_536 + 10 })
    const options = fc.record({
      programSizeBytes: fc.oneof(fc.nat({ max: 300 }), nearPadding),
      weightsSizeBytes: fc.oneof(nearBorder, fc.nat({ max: 40_000 })),
      chunkSizeBytes: fc.oneof(fc.constant(smallPageSizeBytes), fc.integer({ min: 1_000, max: 20_000 })),
      useNode: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(options, async ({ programSizeBytes, weightsSizeBytes, chunkSizeBytes, useNode }) => {
        const packedProgram = seededBytes('p', programSizeBytes)
        const weights = seededBytes('w', weightsSizeBytes)
        const packed = await pack(packedProgram, weights, {
          weights: { sizeBytes: weights.length, chunks: oddChunks(weights, chunkSizeBytes) },
          ...(useNode && { aead: nodeAead }),
        })
        expect(packed.bytes.length).toBe(packed.sizeBytes)
        const capsule = await openCapsule(memorySource(packed.bytes), { publishers: [publisher.publicKey] })
        await capsule.verifyTree()
        expect(capsule.header).toEqual(packed.header)
        expect(capsule.headerHash).toEqual(packed.headerHash)
        const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
        const blob = decodeProgramBlob(await openBlob(capsule, keys, 'program'), capsule.header)
        expect(equalBytes(blob.program, packedProgram)).toBe(true)
        expect(blob.weightsSizeBytes).toBe(weights.length)
        const opened = await openBlob(capsule, keys, 'weights')
        expect(equalBytes(opened.subarray(0, weights.length), weights)).toBe(true)
        expect(opened.subarray(weights.length).every((byte) => byte === 0)).toBe(true)
      }),
      { numRuns: process.env.SLOW === '1' ? 300 : 15 },
    )
  })

  test('every field of the description', async () => {
    const core: CapsuleDescriptionInput = {
      modelId: 'digits-v2.small_1',
      modelName: 'Ziffern ＆ 数字',
      modelVersion: 4_294_967_295,
      inputs: [
        { name: 'image', dtype: 'uint8', shape: [1, 3, 224, 224] },
        { name: 'scale', dtype: 'float64', shape: [] },
      ],
      outputs: [{ name: 'scores', dtype: 'float16', shape: ['N', 3] }],
      preprocessing: {
        kind: 'image',
        layout: 'NCHW',
        colorOrder: 'BGR',
        resizeShorterSide: 256,
        crop: { height: 224, width: 200 },
        scaleNano: 3_921_569,
        meanNano: [485_000_000, -456_000_000, 0],
        stdNano: [229_000_000, 224_000_000, 225_000_000],
      },
      labels: ['zero', 'eins', '二'],
      minimumTier: 'sev-snp',
      keyReleaseUrl: 'https://example.com/release?x=1',
      authority: [keyThumbprint(authority.publicKey)],
    }
    const defenses = [
      { name: 'rounding', version: 1, config: { decimals: 3 } },
      { name: 'prada', version: 2, config: { threshold: 0.95, list: [1.5, null, true, 'x'] } },
    ]
    const answerPolicy = { topK: 3 }
    const packed = await pack(program, new Uint8Array(10), { core, defenses, answerPolicy })
    const capsule = await openCapsule(memorySource(packed.bytes), { publishers: [publisher.publicKey] })
    expect(capsule.header).toMatchObject(core)
    const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
    const blob = decodeProgramBlob(await openBlob(capsule, keys, 'program'), capsule.header)
    expect(blob).toEqual({ program, weightsSizeBytes: 10, defenses, answerPolicy })
  })

  test('two packings of one model share neither key nor id nor ciphertext', async () => {
    const [one, two] = [await pack(program, new Uint8Array(10)), await pack(program, new Uint8Array(10))]
    expect(one.capsuleId).not.toEqual(two.capsuleId)
    expect(one.bytes.subarray(-64)).not.toEqual(two.bytes.subarray(-64))
    expect(() => CapsuleKeys.derive(one.contentKey, two.header)).toThrowError(
      expect.objectContaining({ code: 'CAPSULE_KEY_MISMATCH' }),
    )
  })

  test('progress ends at the size of the file', async () => {
    const seen: number[] = []
    const packed = await pack(program, new Uint8Array(10_000), {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(doneBytes).toBeLessThanOrEqual(totalBytes)
        seen.push(doneBytes)
      },
    })
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(packed.sizeBytes)
  })
})

describe('what a capsule shows', () => {
  test('two architectures of one total size differ in name, ids, hashes and signature alone', async () => {
    // The first is one large matrix; the second stands for many small ones: a longer program, as many weights.
    const wide = await pack(seededBytes('wide', 120), seededBytes('w1', 30_000), {
      core: { ...description, modelName: 'Wide model' },
    })
    const deep = await pack(seededBytes('deep', 40_000), seededBytes('w2', 29_900), {
      core: { ...description, modelName: 'Deep model' },
      defenses: [{ name: 'rounding', version: 1, config: { decimals: 2 } }],
    })
    expect(wide.bytes.length).toBe(deep.bytes.length)
    const rest = ({ header }: PackResult): object => {
      const { modelName, modelId, capsuleId, commit, root, coreBytes, ...same } = header
      const differing = [utf8Bytes(modelName), utf8Bytes(modelId), capsuleId, commit, root, coreBytes]
      return { ...same, sizesBytes: differing.map((bytes) => bytes.length) }
    }
    expect(rest(wide)).toEqual(rest(deep))
  })
})

describe('options', () => {
  const invalid = (field: string): unknown =>
    expect.objectContaining({ code: 'CAPSULE_OPTIONS_INVALID', field })

  test.each<[string, Partial<WriteCapsuleOptions>]>([
    ['pageSizeBytes', { pageSizeBytes: 5_000 }],
    ['pageSizeBytes', { pageSizeBytes: 2_048 }],
    ['pageSizeBytes', { pageSizeBytes: 2 ** 23 }],
    ['pageSizeBytes', { pageSizeBytes: Number.NaN }],
    ['weights.sizeBytes', { weights: { sizeBytes: -1, chunks: [] } }],
    ['weights.sizeBytes', { weights: { sizeBytes: 1.5, chunks: [] } }],
    ['weights.sizeBytes', { weights: { sizeBytes: 2 ** 41, chunks: [] } }],
    ['core.modelName', { core: { ...description, modelName: '' } }],
    ['core.modelName', { core: { ...description, modelName: 'a\u0007b' } }],
    ['core.modelName', { core: { ...description, modelName: 'a\u202eb' } }],
    ['core.modelId', { core: { ...description, modelId: 'Has Capitals' } }],
    ['core.modelVersion', { core: { ...description, modelVersion: 0 } }],
    ['core', { core: { ...description, modelVersion: 1.5 } }],
    ['core.inputs', { core: { ...description, inputs: [] } }],
    [
      'core.inputs[0].shape',
      { core: { ...description, inputs: [{ name: 'x', dtype: 'int8', shape: [0] }] } },
    ],
    ['core.authority', { core: { ...description, authority: [] } }],
    ['core.authority', { core: { ...description, authority: ['not base64url!'] } }],
    ['core.authority', { core: { ...description, authority: [keyThumbprint(publisher.publicKey)] } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'http://example.com/' } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'https://user:word@example.com/' } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'nonsense' } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'https:/example.com/' } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'https://ex\u0430mple.com/' } }],
    ['core.keyReleaseUrl', { core: { ...description, keyReleaseUrl: 'https://example.com:99999/' } }],
    ['core.labels', { core: { ...description, labels: [] } }],
    ['core.labels', { core: { ...description, labels: ['one', 'two', 'three'] } }],
    [
      'defenses',
      { defenses: Array.from({ length: 9 }, (_, i) => ({ name: `d${i}`, version: 1, config: {} })) },
    ],
    ['defenses', { defenses: [{ name: 'Bad Name', version: 1, config: {} }] }],
    ['defenses', { defenses: [{ name: 'rounding', version: 0, config: {} }] }],
    ['defenses', { defenses: [{ name: 'rounding', version: 1, config: { f: () => 1 } }] }],
    [
      'defenses',
      {
        defenses: [
          { name: 'rounding', version: 1, config: {} },
          { name: 'rounding', version: 1, config: {} },
        ],
      },
    ],
  ])('refuses %s %#', async (field, options) => {
    await expect(pack(program, new Uint8Array(0), options)).rejects.toThrowError(invalid(field))
  })

  test('a name without usable characters needs an id', async () => {
    const core = { ...description, modelName: '数字' }
    await expect(pack(program, new Uint8Array(0), { core })).rejects.toThrowError(invalid('core.modelId'))
    const packed = await pack(program, new Uint8Array(0), { core: { ...core, modelId: 'digits' } })
    expect(packed.header.modelId).toBe('digits')
  })

  test('http to this machine is allowed', async () => {
    const core = { ...description, keyReleaseUrl: 'http://127.0.0.1:8080/v1' }
    expect((await pack(program, new Uint8Array(0), { core })).header.keyReleaseUrl).toBe(
      'http://127.0.0.1:8080/v1',
    )
  })

  test.each([
    ['as large as a header may be', 0],
    ['one byte larger', 1],
  ])('a header %s', async (_, extraBytes) => {
    const core = (lastLabel: string): CapsuleDescriptionInput => ({
      ...description,
      outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 'classes'] }],
      labels: [...Array<string>(4_047).fill('l'.repeat(256)), lastLabel],
    })
    const smallest = await pack(program, new Uint8Array(0), { core: core('l') })
    const spareBytes = 1_048_576 - (smallest.header.coreBytes.length + 77)
    // A text of n bytes in place of one byte adds n: from 24 bytes on, its length takes a byte more.
    const packing = pack(program, new Uint8Array(0), { core: core('l'.repeat(spareBytes + extraBytes)) })
    if (extraBytes > 0) await expect(packing).rejects.toThrowError(invalid('core'))
    else expect(new DataView((await packing).bytes.buffer).getUint32(8)).toBe(1_048_576)
  })

  test('a program beyond the limit', async () => {
    await expect(pack(new Uint8Array(67_108_864), new Uint8Array(0))).rejects.toThrowError(invalid('program'))
  })

  test('keys that do not belong together', async () => {
    const mixed = { publicKey: authority.publicKey, privateKey: publisher.privateKey }
    await expect(pack(program, new Uint8Array(0), { publisher: mixed })).rejects.toThrowError(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })
})

describe('failure', () => {
  interface WatchedSink extends CapsuleSink {
    readonly events: string[]
  }
  function watchedSink(failing: string): WatchedSink {
    const events: string[] = []
    const inner = memoryCapsuleSink()
    const step = (name: string, act: () => Promise<void>): Promise<void> => {
      events.push(name)
      return name === failing ? Promise.reject(new Error('disk full')) : act()
    }
    return {
      events,
      write: (offsetBytes, bytes) =>
        step(offsetBytes === 0 ? 'header' : 'page', () => inner.write(offsetBytes, bytes)),
      commit: () => step('commit', () => inner.commit()),
      abort: () => step('abort', () => inner.abort()),
    }
  }
  const options = (): WriteCapsuleOptions => ({
    core: description,
    publisher,
    program,
    weights: { sizeBytes: 20_000, chunks: oddChunks(new Uint8Array(20_000)) },
    pageSizeBytes: smallPageSizeBytes,
  })

  test('the header is written last, then the sink is committed', async () => {
    const sink = watchedSink('none')
    await writeCapsule(sink, options())
    expect(sink.events.slice(-2)).toEqual(['header', 'commit'])
    expect(sink.events.slice(0, -2).every((event) => event === 'page')).toBe(true)
  })

  test.each(['page', 'header', 'commit'])('the sink is aborted when %s fails', async (failing) => {
    const sink = watchedSink(failing)
    await expect(writeCapsule(sink, options())).rejects.toThrowError(
      expect.objectContaining({ code: 'CAPSULE_WRITE_FAILED' }),
    )
    expect(sink.events.at(-1)).toBe('abort')
  })

  test.each([
    ['fewer', 19_999],
    ['more', 20_001],
  ])('%s weights than announced', async (_, sizeBytes) => {
    const sink = watchedSink('none')
    const weights = { sizeBytes: 20_000, chunks: oddChunks(new Uint8Array(sizeBytes)) }
    await expect(writeCapsule(sink, { ...options(), weights })).rejects.toThrowError(
      expect.objectContaining({ code: 'CAPSULE_INPUT_SIZE_MISMATCH' }),
    )
    expect(sink.events.at(-1)).toBe('abort')
    expect(sink.events).not.toContain('commit')
  })

  test('a source of weights that throws', async () => {
    const sink = watchedSink('none')
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(9_000)
      await Promise.reject(new Error('lost'))
    }
    await expect(
      writeCapsule(sink, { ...options(), weights: { sizeBytes: 20_000, chunks } }),
    ).rejects.toThrowError(expect.objectContaining({ code: 'CAPSULE_WRITE_FAILED' }))
    expect(sink.events.at(-1)).toBe('abort')
  })
})

describe('streaming', () => {
  test('pages are written before the weights have been read to the end', async () => {
    const sizeBytes = 64 * smallPageSizeBytes
    let givenBytes = 0
    let writtenBytes = 0
    let mostHeldBytes = 0
    const chunks = function* (): Iterable<Uint8Array> {
      for (; givenBytes < sizeBytes; givenBytes += smallPageSizeBytes) {
        mostHeldBytes = Math.max(mostHeldBytes, givenBytes - Math.max(0, writtenBytes - 65_536))
        yield new Uint8Array(smallPageSizeBytes)
      }
    }
    const pages: Uint8Array[] = []
    const sink: CapsuleSink = {
      write(offsetBytes, bytes) {
        if (offsetBytes > 0) {
          writtenBytes += bytes.length - 16
          pages.push(bytes)
        }
        return Promise.resolve()
      },
      commit: () => Promise.resolve(),
      abort: () => Promise.resolve(),
    }
    await writeCapsule(sink, {
      core: description,
      publisher,
      program,
      weights: { sizeBytes, chunks: chunks() },
      pageSizeBytes: smallPageSizeBytes,
    })
    expect(writtenBytes).toBe(sizeBytes + 65_536)
    expect(mostHeldBytes).toBeLessThanOrEqual(3 * smallPageSizeBytes)
    // The memory of a page is free as soon as the sink is done with it.
    expect(pages.map((page) => page.length)).toEqual(Array(80).fill(0))
  })

  test('a page within a larger buffer is left alone', async () => {
    const pool = new Uint8Array(20 * (smallPageSizeBytes + 16)).fill(0xee)
    let pageCount = 0
    const pooled: AeadProvider = {
      ...webCryptoAead,
      async seal(...inputs) {
        const sealed = await webCryptoAead.seal(...inputs)
        const at = pageCount++ * sealed.length
        pool.set(sealed, at)
        return pool.subarray(at, at + sealed.length)
      },
    }
    const packed = await pack(program, new Uint8Array(10), { aead: pooled })
    expect(pool.length).toBe(20 * (smallPageSizeBytes + 16))
    expect(packed.bytes.subarray(-smallPageSizeBytes - 16)).toEqual(
      pool.slice(16 * (smallPageSizeBytes + 16), 17 * (smallPageSizeBytes + 16)),
    )
  })
})
