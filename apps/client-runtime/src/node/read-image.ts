// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import { ClientError } from '../errors.ts'
import { centeredCrop, type Pixels, scaledSize } from '../sdk/preprocess.ts'

const maxPixelCount = 100_000_000

/**
 * Decodes an image file and brings it to the size that the header declares: turned upright, shorter side scaled
 * (Lanczos), center cropped, transparency on black.
 * @param file the encoded image
 * @throws ClientError `CLIENT_IMAGE_INVALID`, `CLIENT_INPUT_INVALID` for an image smaller than the crop
 */
export async function readImage(
  file: Uint8Array,
  preprocessing: NonNullable<CapsuleHeader['preprocessing']>,
): Promise<Pixels> {
  // Loaded when the first image comes: commands without one start sooner.
  const { default: sharp } = await import('sharp')
  const channelCount = preprocessing.colorOrder === 'gray' ? 1 : 3
  try {
    const image = sharp(file, { limitInputPixels: maxPixelCount, failOn: 'error' }).rotate()
    const { autoOrient } = await image.metadata()
    const size = scaledSize(autoOrient.width, autoOrient.height, preprocessing)
    if (size.width * size.height > maxPixelCount)
      throw new Error('a strip this long and thin becomes too large')
    const crop = centeredCrop(size, preprocessing)
    const shorterSide = Math.min(size.width, size.height)
    const { data, info } = await image
      .flatten({ background: '#000000' })
      .toColorspace(channelCount === 1 ? 'b-w' : 'srgb')
      // One factor for both sides; the rounding to whole pixels comes after.
      .resize({ width: shorterSide, height: shorterSide, fit: 'outside' })
      .extract(crop)
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== channelCount) throw new Error(`${info.channels} channels came out`)
    return { width: info.width, height: info.height, channelCount, data: new Uint8Array(data) }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError('CLIENT_IMAGE_INVALID', 'the file is not an image that can be decoded', {
      field: 'image',
      cause,
    })
  }
}
