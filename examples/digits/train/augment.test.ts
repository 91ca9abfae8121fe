// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { type AugmentationRange, augmentInto, copyInto, defaultAugmentation } from './augment.ts'
import { imagePixelCount } from './dataset.ts'
import { createRandomStream, type RandomStream } from './random.ts'

const unchanged: AugmentationRange = { rotation: 0, scale: 0, slant: 0, shift: 0 }
const image = Uint8Array.from({ length: imagePixelCount }, (_, pixel) => (pixel * 37) % 256)

/** A stream whose every draw is at the upper end of its range. */
const highest: RandomStream = { next: () => 1, between: (_, high) => high, normal: () => 1 }

function augmented(random: RandomStream, range: AugmentationRange, source = image): Float32Array {
  const target = new Float32Array(imagePixelCount).fill(-1)
  augmentInto(target, source, random, range)
  return target
}

test('a range of nothing leaves the image as it was', () => {
  const plain = new Float32Array(imagePixelCount)
  copyInto(plain, image)
  expect(augmented(createRandomStream(1, 'test'), unchanged)).toEqual(plain)
})

test('a shift moves ink right and down, and blank paper comes in', () => {
  const target = augmented(highest, { ...unchanged, shift: 2 })
  for (let row = 0; row < 28; row++) {
    for (let column = 0; column < 28; column++) {
      const expected = row < 2 || column < 2 ? 0 : (image[(row - 2) * 28 + column - 2] as number) / 255
      expect(target[row * 28 + column]).toBeCloseTo(expected, 6)
    }
  }
})

test('a quarter turn moves the top middle to the right middle', () => {
  const dot = new Uint8Array(imagePixelCount)
  dot[3 * 28 + 14] = 255
  const target = augmented(highest, { ...unchanged, rotation: Math.PI / 2 }, dot)
  expect(target[14 * 28 + 24]).toBeCloseTo(1, 5)
})

test('the same seed bends alike, another seed differently', () => {
  const [first, again, other] = [5, 5, 6].map((seed) =>
    augmented(createRandomStream(seed, 'test'), defaultAugmentation),
  )
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})
