// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { NetworkWriter } from './network-writer.ts'

/** Output channels and stride of each separable convolution: Howard et al., arXiv:1704.04861, table 1. */
const separable: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
]

export function mobilenetV1(): Network {
  const writer = new NetworkWriter(1)
  let image = writer.conv(writer.image(3, 224), 32, 3, { stride: 2 })
  for (const [channels, stride] of separable) {
    image = writer.conv(image, image.channels, 3, { stride, groups: image.channels })
    image = writer.conv(image, channels, 1)
  }
  const row = writer.dense(writer.globalAverage(image), 1000, 'none')
  return writer.finish('mobilenetv1', [1, 3, 224, 224], writer.softmax(row))
}
