// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { inlineConstant, splatConstant } from '../graph/constant.ts'
import { WeightsLayout } from './weights.ts'

const counted = (count: number) =>
  inlineConstant(
    'float32',
    [count],
    Float32Array.from({ length: count }, (_, i) => i + 1),
  )

async function chunksOf(layout: WeightsLayout, chunkSizeBytes?: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of layout.finish().chunks(chunkSizeBytes)) chunks.push(chunk)
  return chunks
}

describe('WeightsLayout', () => {
  test('places constants one after another on lines of 64 bytes, each once per packing', () => {
    const layout = new WeightsLayout()
    const a = counted(3)
    const matrix = splatConstant('float32', [2, 3], 1)
    expect(layout.place(a, { kind: 'plain' })).toMatchObject({ offsetBytes: 0, sizeBytes: 12 })
    expect(layout.place(matrix, { kind: 'dense' })).toMatchObject({ offsetBytes: 64, sizeBytes: 128 })
    expect(layout.place(a, { kind: 'plain' }).offsetBytes).toBe(0)
    expect(layout.place(matrix, { kind: 'plain' })).toMatchObject({ offsetBytes: 192, sizeBytes: 24 })
    expect(layout.finish().sizeBytes).toBe(256)
  })

  test.each([1, 7, 64, 100, 1 << 20])('the bytes are the same in chunks of %i', async (chunkSizeBytes) => {
    const layout = new WeightsLayout()
    layout.place(counted(3), { kind: 'plain' })
    layout.place(counted(16), { kind: 'plain' })
    layout.place(counted(5), { kind: 'plain' })
    const chunks = await chunksOf(layout, chunkSizeBytes)
    for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBe(chunkSizeBytes)
    const bytes = Uint8Array.from(chunks.flatMap((it) => [...it]))
    const numbers = new Float32Array(bytes.buffer)
    expect(numbers.length).toBe(48)
    expect([...numbers.slice(0, 4)]).toEqual([1, 2, 3, 0])
    expect([...numbers.slice(16, 33)]).toEqual([...Array.from({ length: 16 }, (_, i) => i + 1), 1])
    expect([...numbers.slice(37)]).toEqual(new Array(11).fill(0))
  })

  test('a model without constants has no weights', async () => {
    expect(await chunksOf(new WeightsLayout())).toEqual([])
  })

  test('refuses a chunk size that is not a positive integer', async () => {
    await expect(chunksOf(new WeightsLayout(), 0)).rejects.toMatchObject({ code: 'MODEL_OPTION_INVALID' })
  })
})
