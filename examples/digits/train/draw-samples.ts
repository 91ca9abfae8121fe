// SPDX-License-Identifier: Apache-2.0
import { PNG } from 'pngjs'
import { imageSide } from './dataset.ts'
import { glyphs } from './glyphs.ts'
import { createRandomStream } from './random.ts'
import { drawGlyph } from './rasterize.ts'

/** One of the sample images that come with the model. */
export interface Sample {
  readonly digit: number
  /** Such as `3-a.png`. */
  readonly fileName: string
  /** 784 bytes, ink high. */
  readonly pixels: Uint8Array
}

const samplesSeed = 28

/** Draws the 20 samples, two of each digit. Always the same pixels. */
export function drawSamples(): Sample[] {
  return glyphs.map((glyph) => {
    const fileName = `${glyph.digit}-${glyph.variant}.png`
    const random = createRandomStream(samplesSeed, fileName)
    const hand = {
      slant: (glyph.variant === 'a' ? 0.02 : 0.1) + random.between(-0.04, 0.06),
      brushRadius: random.between(1.1, 1.5),
    }
    return { digit: glyph.digit, fileName, pixels: drawGlyph(glyph, hand) }
  })
}

/** An 8-bit grayscale PNG of 28x28 pixels, ink white on black as in MNIST. */
export function encodeSample(pixels: Uint8Array): Uint8Array {
  const png = new PNG({ width: imageSide, height: imageSide, colorType: 0, bitDepth: 8, inputColorType: 0 })
  png.data = Buffer.from(pixels)
  return PNG.sync.write(png, { colorType: 0, bitDepth: 8, inputColorType: 0, inputHasAlpha: false })
}

/** The inverse of {@link encodeSample}: 784 bytes, ink high. */
export function decodeSample(file: Uint8Array): Uint8Array {
  const png = PNG.sync.read(Buffer.from(file))
  return Uint8Array.from({ length: png.width * png.height }, (_, pixel) => png.data[4 * pixel] as number)
}
