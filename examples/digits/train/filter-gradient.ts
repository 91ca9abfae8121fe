// SPDX-License-Identifier: Apache-2.0
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'

/**
 * Puts a faster convolution filter gradient in the place of the one that TensorFlow.js' plain CPU backend has,
 * which addresses every element through a function call and takes most of a training step.
 * Channels-last only. Call once, after the backend is registered.
 */
export function installFilterGradient(): void {
  tf.unregisterKernel(tf.Conv2DBackpropFilter, 'cpu')
  tf.registerKernel({
    kernelName: tf.Conv2DBackpropFilter,
    backendName: 'cpu',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, dy } = inputs as unknown as { x: tf.TensorInfo; dy: tf.TensorInfo }
      const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs
      const info = tf.backend_util.computeConv2DInfo(
        x.shape as [number, number, number, number],
        filterShape,
        strides,
        1,
        pad,
        dimRoundingMode,
      )
      const cpu = backend as MathBackendCPU
      const gradient = new Float32Array(filterShape.reduce((product, dimension) => product * dimension, 1))
      addFilterGradient(
        gradient,
        cpu.readSync(x.dataId) as Float32Array,
        cpu.readSync(dy.dataId) as Float32Array,
        info,
      )
      return cpu.makeTensorInfo(filterShape, 'float32', gradient)
    },
  })
}

/**
 * Adds to `gradient` [row, column, in, out] the sum over images and output places of input times output
 * gradient. Inputs that are zero (blank paper, inactive units) are skipped: they are most of them.
 */
function addFilterGradient(
  gradient: Float32Array,
  input: Float32Array,
  outputGradient: Float32Array,
  info: tf.backend_util.Conv2DInfo,
): void {
  const { inChannels, outChannels, inHeight, inWidth, outHeight, outWidth } = info
  for (let image = 0; image < info.batchSize; image++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const outAt = ((image * outHeight + outRow) * outWidth + outColumn) * outChannels
        for (let row = 0; row < info.filterHeight; row++) {
          const inRow = outRow * info.strideHeight + row - info.padInfo.top
          if (inRow < 0 || inRow >= inHeight) continue
          for (let column = 0; column < info.filterWidth; column++) {
            const inColumn = outColumn * info.strideWidth + column - info.padInfo.left
            if (inColumn < 0 || inColumn >= inWidth) continue
            const inAt = ((image * inHeight + inRow) * inWidth + inColumn) * inChannels
            const filterAt = (row * info.filterWidth + column) * inChannels * outChannels
            for (let channel = 0; channel < inChannels; channel++) {
              const value = input[inAt + channel] as number
              if (value === 0) continue
              const gradientAt = filterAt + channel * outChannels
              for (let out = 0; out < outChannels; out++) {
                gradient[gradientAt + out] =
                  (gradient[gradientAt + out] as number) + value * (outputGradient[outAt + out] as number)
              }
            }
          }
        }
      }
    }
  }
}
