// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import { elementCount, type Tensor, type TensorSpec } from '@mlcapsule/contracts'
import { ClientError } from '../errors.ts'

type ImagePreprocessing = NonNullable<CapsuleHeader['preprocessing']>

/** Decoded pixels, 8 bits per channel, rows from the top, channels interleaved: red, green, blue, or gray alone. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly channelCount: 1 | 3
  readonly data: Uint8Array
}

const nano = 1e-9

/**
 * Turns pixels that already have their final size into the model's first input: per channel
 * (value × scale − mean) ÷ std, in the channel order and layout that the header declares.
 * @param spec float32, [1, C, H, W] or [1, H, W, C]; a named first dimension stands for 1
 * @throws ClientError `CLIENT_INPUT_INVALID` when size or channels differ from the spec, or the data from the size
 */
export function pixelsToTensor(pixels: Pixels, preprocessing: ImagePreprocessing, spec: TensorSpec): Tensor {
  const { width, height, channelCount, data } = pixels
  const { layout, colorOrder } = preprocessing
  if ((colorOrder === 'gray') !== (channelCount === 1)) {
    fail(spec, `the header asks for ${colorOrder}, the pixels have ${channelCount} channels`)
  }
  const shape = layout === 'NCHW' ? [1, channelCount, height, width] : [1, height, width, channelCount]
  const fits =
    spec.shape.length === 4 && spec.shape.every((size, i) => typeof size === 'string' || size === shape[i])
  if (spec.dtype !== 'float32') fail(spec, `images become float32, the input is ${spec.dtype}`)
  if (!fits) fail(spec, `the image gives [${shape.join(', ')}], the model takes [${spec.shape.join(', ')}]`)
  const count = elementCount(shape)
  // With an alpha channel, say, every pixel after the first would be read in the wrong place.
  if (data.length !== count) fail(spec, `the pixels have ${data.length} values, their size takes ${count}`)

  const out = new Float32Array(count)
  const pixelCount = width * height
  for (let channel = 0; channel < channelCount; channel++) {
    const source = colorOrder === 'BGR' ? channelCount - 1 - channel : channel
    const std = (preprocessing.stdNano[channel] as number) * nano
    const gain = (preprocessing.scaleNano * nano) / std
    const offset = ((preprocessing.meanNano[channel] as number) * nano) / std
    const start = layout === 'NCHW' ? channel * pixelCount : channel
    const step = layout === 'NCHW' ? 1 : channelCount
    for (let i = 0; i < pixelCount; i++) {
      out[start + i * step] = (data[i * channelCount + source] as number) * gain - offset
    }
  }
  return { dtype: 'float32', shape, data: out }
}

function fail(spec: TensorSpec, detail: string): never {
  throw new ClientError('CLIENT_INPUT_INVALID', `${spec.name}: ${detail}`, { field: spec.name })
}

/** Size to which an image is scaled before it is cropped; a crop never reaches over its border. */
export function scaledSize(
  width: number,
  height: number,
  { resizeShorterSide }: ImagePreprocessing,
): { width: number; height: number } {
  if (resizeShorterSide === null) return { width, height }
  const scale = resizeShorterSide / Math.min(width, height)
  return {
    width: Math.max(resizeShorterSide, Math.round(width * scale)),
    height: Math.max(resizeShorterSide, Math.round(height * scale)),
  }
}

/** Place of the centered crop; of an odd margin, the larger part is before it, as sharp and libvips have it. */
export function centeredCrop(
  size: { width: number; height: number },
  { crop }: ImagePreprocessing,
): { left: number; top: number; width: number; height: number } {
  if (crop === null) return { left: 0, top: 0, ...size }
  const { width, height } = crop
  if (width > size.width || height > size.height) {
    throw new ClientError(
      'CLIENT_INPUT_INVALID',
      `the image is ${size.width} × ${size.height}, the model takes ${width} × ${height}`,
      { field: 'image' },
    )
  }
  return { left: (size.width - width + 1) >> 1, top: (size.height - height + 1) >> 1, width, height }
}
