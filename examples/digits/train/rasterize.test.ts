// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { drawSamples } from './draw-samples.ts'

describe.each(drawSamples())('$fileName', ({ pixels }) => {
  test('is framed as MNIST is: at most 20 pixels and the rim, centered by mass', () => {
    let [mass, x, y, left, right, top, bottom] = [0, 0, 0, 28, -1, 28, -1]
    pixels.forEach((ink, pixel) => {
      const [column, row] = [pixel % 28, Math.floor(pixel / 28)]
      mass += ink
      x += ink * column
      y += ink * row
      if (ink < 128) return
      left = Math.min(left, column)
      right = Math.max(right, column)
      top = Math.min(top, row)
      bottom = Math.max(bottom, row)
    })
    expect(x / mass).toBeCloseTo(13.5, 0)
    expect(y / mass).toBeCloseTo(13.5, 0)
    expect(Math.max(right - left, bottom - top)).toBeGreaterThanOrEqual(18)
    expect(Math.max(right - left, bottom - top)).toBeLessThanOrEqual(20)
  })

  test('has full ink, soft rims and blank corners', () => {
    expect(Math.max(...pixels)).toBe(255)
    expect(pixels.some((ink) => ink > 0 && ink < 255)).toBe(true)
    expect([pixels[0], pixels[27], pixels[756], pixels[783]]).toEqual([0, 0, 0, 0])
  })
})
