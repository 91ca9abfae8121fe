// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { imagePixelCount, parseDigitSet, readDigitSet, sliceDigitSet } from './dataset.ts'
import { DigitsError } from './errors.ts'

/** An idx file: the header's values as big-endian u32, then the content. */
function idx(header: readonly number[], content: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 * header.length + content.length)
  const view = new DataView(file.buffer)
  header.forEach((value, index) => {
    view.setUint32(4 * index, value)
  })
  file.set(content, 4 * header.length)
  return file
}

const pixels = Uint8Array.from({ length: 3 * imagePixelCount }, (_, index) => index % 251)
const labels = Uint8Array.of(7, 0, 9)
const imagesFile = idx([0x803, 3, 28, 28], pixels)
const labelsFile = idx([0x801, 3], labels)

function codeOf(images: Uint8Array, labelsOfImages: Uint8Array): string | undefined {
  try {
    parseDigitSet(images, labelsOfImages)
    return undefined
  } catch (error) {
    return error instanceof DigitsError ? error.code : `not coded: ${error}`
  }
}

describe('parseDigitSet', () => {
  test('gives pixels and labels as they stand in the files', () => {
    expect(parseDigitSet(imagesFile, labelsFile)).toEqual({ count: 3, pixels, labels })
  })

  test.each([
    ['an image file that ends early', imagesFile.subarray(0, -1), labelsFile],
    ['an image file with a byte too many', idx([0x803, 3, 28, 28], new Uint8Array(3 * 784 + 1)), labelsFile],
    ['a cut header', imagesFile.subarray(0, 15), labelsFile],
    ['an empty file', new Uint8Array(), labelsFile],
    ['a wrong magic number', idx([0x801, 3, 28, 28], pixels), labelsFile],
    ['images of another size', idx([0x803, 3, 56, 14], pixels), labelsFile],
    ['fewer labels than images', imagesFile, idx([0x801, 2], labels.subarray(1))],
    ['a label that is no digit', imagesFile, idx([0x801, 3], Uint8Array.of(7, 10, 9))],
    ['swapped files', labelsFile, imagesFile],
  ])('refuses %s', (_, images, labelsOfImages) => {
    expect(codeOf(images, labelsOfImages)).toBe('DIGITS_DATASET_MALFORMED')
  })

  test('refuses or reads any bytes, and never fails in another way', () => {
    const header = fc.array(fc.constantFrom(0, 1, 2, 28, 0x801, 0x803, 0xffffffff), { maxLength: 4 })
    const file = fc.tuple(header, fc.uint8Array({ maxLength: 1600 })).map(([it, content]) => idx(it, content))
    fc.assert(
      fc.property(file, file, (images, labelsOfImages) => {
        expect(codeOf(images, labelsOfImages) ?? 'DIGITS_DATASET_MALFORMED').toBe('DIGITS_DATASET_MALFORMED')
      }),
      { numRuns: process.env.SLOW === '1' ? 20_000 : 300 },
    )
  })
})

test('sliceDigitSet takes the images and labels of a range', () => {
  const slice = sliceDigitSet(parseDigitSet(imagesFile, labelsFile), 1, 3)
  expect(slice.count).toBe(2)
  expect([...slice.labels]).toEqual([0, 9])
  expect(slice.pixels).toEqual(pixels.subarray(imagePixelCount))
})

test('readDigitSet names a missing file', () => {
  expect(() => readDigitSet('no-such-folder', 't10k')).toThrowError(
    expect.objectContaining({ code: 'DIGITS_DATASET_MISSING' }),
  )
})
