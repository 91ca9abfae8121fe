// SPDX-License-Identifier: Apache-2.0
import type { ImagePreprocessing } from '@mlcapsule/capsule-format'
import type { TensorSpec } from '@mlcapsule/contracts'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readImage } from '../node/read-image.ts'
import { centeredCrop, type Pixels, pixelsToTensor, scaledSize } from './preprocess.ts'

const code = (code: string) => expect.objectContaining({ code })

const plain: ImagePreprocessing = {
  kind: 'image',
  layout: 'NCHW',
  colorOrder: 'RGB',
  resizeShorterSide: null,
  crop: null,
  scaleNano: 1_000_000_000,
  meanNano: [0, 0, 0],
  stdNano: [1_000_000_000, 1_000_000_000, 1_000_000_000],
}
const gray: ImagePreprocessing = { ...plain, colorOrder: 'gray', meanNano: [0], stdNano: [1_000_000_000] }
const spec = (...shape: (number | string)[]): TensorSpec => ({ name: 'image', dtype: 'float32', shape })

/** Two pixels side by side: (1, 2, 3) and (4, 5, 6). */
const twoPixels: Pixels = { width: 2, height: 1, channelCount: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }

describe('pixelsToTensor', () => {
  test.each([
    ['NCHW', 'RGB', [1, 3, 1, 2], [1, 4, 2, 5, 3, 6]],
    ['NCHW', 'BGR', [1, 3, 1, 2], [3, 6, 2, 5, 1, 4]],
    ['NHWC', 'RGB', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6]],
    ['NHWC', 'BGR', [1, 1, 2, 3], [3, 2, 1, 6, 5, 4]],
  ] as const)('lays out %s %s', (layout, colorOrder, shape, values) => {
    const tensor = pixelsToTensor(twoPixels, { ...plain, layout, colorOrder }, spec(...shape))
    expect(tensor).toEqual({ dtype: 'float32', shape, data: Float32Array.from(values) })
  })

  test('scales, subtracts the mean and divides, per channel as it comes out', () => {
    const preprocessing: ImagePreprocessing = {
      ...plain,
      colorOrder: 'BGR',
      scaleNano: 500_000_000,
      meanNano: [100_000_000, 200_000_000, 300_000_000],
      stdNano: [1_000_000_000, 2_000_000_000, 4_000_000_000],
    }
    const { data } = pixelsToTensor(twoPixels, preprocessing, spec('N', 3, 1, 2))
    const expected = [3, 6, 2, 5, 1, 4].map((value, i) => {
      const channel = i >> 1
      return (value * 0.5 - (0.1 + 0.1 * channel)) / 2 ** channel
    })
    for (const [i, value] of expected.entries()) expect(data[i]).toBeCloseTo(value, 6)
  })

  test('takes gray', () => {
    const pixels: Pixels = { width: 1, height: 2, channelCount: 1, data: Uint8Array.of(7, 255) }
    const tensor = pixelsToTensor(pixels, { ...gray, scaleNano: 3_921_569 }, spec(1, 1, 2, 1))
    expect(tensor.data[0]).toBeCloseTo(7 / 255, 6)
    expect(tensor.data[1]).toBeCloseTo(1, 6)
  })

  test.each([
    ['another size', twoPixels, plain, spec(1, 3, 2, 2)],
    ['gray for color', { ...twoPixels, channelCount: 1 }, plain, spec(1, 3, 1, 2)],
    ['color for gray', twoPixels, gray, spec(1, 1, 1, 2)],
    ['a batch', twoPixels, plain, spec(2, 3, 1, 2)],
    ['another rank', twoPixels, plain, spec(3, 1, 2)],
    ['an alpha channel', { ...twoPixels, data: new Uint8Array(8) }, plain, spec(1, 3, 1, 2)],
    ['too little data', { ...twoPixels, data: new Uint8Array(5) }, plain, spec(1, 3, 1, 2)],
    ['another dtype', twoPixels, plain, { ...spec(1, 3, 1, 2), dtype: 'uint8' }],
  ] as const)('refuses %s', (_what, pixels, preprocessing, tensorSpec) => {
    expect(() => pixelsToTensor(pixels, preprocessing, tensorSpec)).toThrow(code('CLIENT_INPUT_INVALID'))
  })
})

test('the shorter side is scaled, then the center is cut out', () => {
  expect(scaledSize(640, 480, { ...plain, resizeShorterSide: 240 })).toEqual({ width: 320, height: 240 })
  expect(scaledSize(1, 3000, { ...plain, resizeShorterSide: 224 })).toEqual({ width: 224, height: 672_000 })
  const crop = { height: 224, width: 200 }
  expect(centeredCrop({ width: 320, height: 240 }, { ...plain, crop })).toEqual({ left: 60, top: 8, ...crop })
  expect(centeredCrop({ width: 201, height: 225 }, { ...plain, crop })).toEqual({ left: 1, top: 1, ...crop })
  expect(() => centeredCrop({ width: 199, height: 240 }, { ...plain, crop })).toThrow(
    code('CLIENT_INPUT_INVALID'),
  )
})

describe('readImage', () => {
  const png = (channels: 1 | 3 | 4, width: number, height: number, value: number | number[]) => {
    const raw = Buffer.from(Array.from({ length: width * height }, () => value).flat())
    return sharp(raw, { raw: { width, height, channels } }).png().toBuffer()
  }

  test('decodes, scales and crops', async () => {
    const file = await png(3, 40, 20, [10, 20, 30])
    const pixels = await readImage(file, { ...plain, resizeShorterSide: 10, crop: { height: 10, width: 8 } })
    expect(pixels).toMatchObject({ width: 8, height: 10, channelCount: 3 })
    expect([...pixels.data.subarray(0, 3)]).toEqual([10, 20, 30])
    expect(pixels.data.length).toBe(240)
  })

  test.each([
    [45, 30],
    [451, 300],
    [63, 101],
    [20, 9],
  ])(
    'of %i × %i scales and crops to the very pixels that sharp gives with fit cover',
    async (width, height) => {
      const noise = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251))
      const file = await sharp(noise, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer()
      const crop = { width: 22, height: 22 }
      const expected = await sharp(file)
        .resize({ ...crop, fit: 'cover' })
        .raw()
        .toBuffer()
      const { data } = await readImage(file, { ...plain, resizeShorterSide: 22, crop })
      expect(Buffer.from(data).equals(expected)).toBe(true)
    },
  )

  test('keeps gray values, and turns color into gray where gray is asked for', async () => {
    const exact = await readImage(await png(1, 2, 2, 77), gray)
    expect([...exact.data]).toEqual([77, 77, 77, 77])
    const fromColor = await readImage(await png(3, 1, 1, [90, 90, 90]), gray)
    expect([...fromColor.data]).toEqual([90])
  })

  test('makes color of gray, and puts transparency on black', async () => {
    expect([...(await readImage(await png(1, 1, 1, 50), plain)).data]).toEqual([50, 50, 50])
    expect([...(await readImage(await png(4, 1, 1, [200, 100, 50, 0]), plain)).data]).toEqual([0, 0, 0])
  })

  test('turns an image upright as its orientation says', async () => {
    const raw = Buffer.from([0, 0, 0, 255, 255, 255])
    const lying = sharp(raw, { raw: { width: 2, height: 1, channels: 3 } }).withMetadata({ orientation: 6 })
    const pixels = await readImage(await lying.png().toBuffer(), plain)
    expect(pixels).toMatchObject({ width: 1, height: 2 })
    expect([...pixels.data]).toEqual([0, 0, 0, 255, 255, 255])
  })

  test('refuses what is no image, what is cut and what is too small', async () => {
    await expect(readImage(Buffer.from('text'), plain)).rejects.toThrow(code('CLIENT_IMAGE_INVALID'))
    const noise = Buffer.from(Array.from({ length: 3072 }, (_, i) => (i * 7919) % 251))
    const whole = await sharp(noise, { raw: { width: 32, height: 32, channels: 3 } })
      .png()
      .toBuffer()
    await expect(readImage(whole.subarray(0, 400), plain)).rejects.toThrow(code('CLIENT_IMAGE_INVALID'))
    const small = readImage(whole, { ...plain, crop: { height: 33, width: 32 } })
    await expect(small).rejects.toThrow(code('CLIENT_INPUT_INVALID'))
    const strip = readImage(await png(1, 1, 3000, 1), { ...gray, resizeShorterSide: 224 })
    await expect(strip).rejects.toThrow(code('CLIENT_IMAGE_INVALID'))
  })
})
