// SPDX-License-Identifier: Apache-2.0
import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from './backend.ts'
import { transposeTensor } from './copy-box.ts'

/** The fields that records of windows share. */
export function windowFields(info: backend_util.Conv2DInfo) {
  return {
    batch: info.batchSize,
    inputHeight: info.inHeight,
    inputWidth: info.inWidth,
    outputHeight: info.outHeight,
    outputWidth: info.outWidth,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
  }
}

/** Refuses a tensor that does not reach as far as the windows do: beyond its elements lie other tensors. */
export function requireReach({ shape }: TensorInfo, needed: readonly number[]): void {
  if (needed.every((dim, d) => dim <= (shape[d] ?? 0))) return
  throw new RangeError(`a tensor of shape ${shape} is given where the windows have ${needed}`)
}

/** Runs `use` on an image with its channels last, and gives its result back in the image's own order. */
export function withChannelsLast(
  backend: MlcapsuleBackend,
  x: TensorInfo,
  isFirst: boolean,
  use: (image: TensorInfo) => TensorInfo,
): TensorInfo {
  if (!isFirst) return use(x)
  const last = transposeTensor(backend, x, [0, 2, 3, 1])
  const result = use(last)
  backend.release(last)
  const first = transposeTensor(backend, result, [0, 3, 1, 2])
  backend.release(result)
  return first
}
