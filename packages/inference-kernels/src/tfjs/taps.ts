// SPDX-License-Identifier: Apache-2.0
import type { backend_util } from '@tensorflow/tfjs-core'

/** Images and volumes, as tfjs-core's helpers want their shapes. */
export type Shape4 = [number, number, number, number]
export type Shape5 = [number, number, number, number, number]

/** Windows over volumes; an image is a volume of depth 1. */
export type Windows = Omit<
  backend_util.Conv3DInfo,
  | 'dataFormat'
  | 'inShape'
  | 'outShape'
  | 'filterShape'
  | 'effectiveFilterDepth'
  | 'effectiveFilterHeight'
  | 'effectiveFilterWidth'
>

export function windowsOfImage(info: backend_util.Conv2DInfo): Windows {
  return {
    ...info,
    inDepth: 1,
    outDepth: 1,
    filterDepth: 1,
    strideDepth: 1,
    dilationDepth: 1,
    padInfo: { ...info.padInfo, front: 0, back: 0 },
  }
}

/** Taps of a window that lie inside: the first, and one past the last. */
function tapsInside(
  origin: number,
  dilation: number,
  taps: number,
  size: number,
): readonly [first: number, end: number] {
  const first = origin < 0 ? Math.ceil(-origin / dilation) : 0
  const end = Math.min(taps, Math.ceil((size - origin) / dilation))
  return [first, Math.max(first, end)]
}

/**
 * Goes over all pixels of the result, and for each over the taps of its window that lie inside.
 * @param visit gets the number of the pixel of the result, of the pixel under the tap, and of the tap in the window
 */
export function eachTap(info: Windows, visit: (output: number, input: number, tap: number) => void): void {
  const { front, top, left } = info.padInfo
  let output = 0
  for (let n = 0; n < info.batchSize; n++) {
    for (let z = 0; z < info.outDepth; z++) {
      const oz = z * info.strideDepth - front
      const [z0, z1] = tapsInside(oz, info.dilationDepth, info.filterDepth, info.inDepth)
      for (let y = 0; y < info.outHeight; y++) {
        const oy = y * info.strideHeight - top
        const [y0, y1] = tapsInside(oy, info.dilationHeight, info.filterHeight, info.inHeight)
        for (let x = 0; x < info.outWidth; x++, output++) {
          const ox = x * info.strideWidth - left
          const [x0, x1] = tapsInside(ox, info.dilationWidth, info.filterWidth, info.inWidth)
          for (let kz = z0; kz < z1; kz++) {
            const plane = n * info.inDepth + oz + kz * info.dilationDepth
            for (let ky = y0; ky < y1; ky++) {
              const row = plane * info.inHeight + oy + ky * info.dilationHeight
              for (let kx = x0; kx < x1; kx++) {
                const tap = (kz * info.filterHeight + ky) * info.filterWidth + kx
                visit(output, row * info.inWidth + ox + kx * info.dilationWidth, tap)
              }
            }
          }
        }
      }
    }
  }
}

/**
 * Element under the largest tap, for each element of the result; -1 where no tap lies inside. Of equal ones the first counts.
 * @param valueAt what is compared, by element of the input and tap
 */
export function largestTaps(
  info: Windows,
  valueAt: (element: number, tap: number, channel: number) => number,
): { readonly elements: Int32Array; readonly taps: Int32Array; readonly values: Float64Array } {
  const channels = info.inChannels
  const count = info.batchSize * info.outDepth * info.outHeight * info.outWidth * channels
  const elements = new Int32Array(count).fill(-1)
  const taps = new Int32Array(count).fill(-1)
  const values = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  eachTap(info, (output, input, tap) => {
    for (let c = 0; c < channels; c++) {
      const element = input * channels + c
      const value = valueAt(element, tap, c)
      const at = output * channels + c
      if (!(value > (values[at] as number))) continue
      values[at] = value
      elements[at] = element
      taps[at] = tap
    }
  })
  return { elements, taps, values }
}
