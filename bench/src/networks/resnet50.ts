// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { type Image, NetworkWriter } from './network-writer.ts'

/** Blocks and widths of the four stages: He et al., arXiv:1512.03385, table 1. */
const stages = [
  { blockCount: 3, width: 64 },
  { blockCount: 4, width: 128 },
  { blockCount: 6, width: 256 },
  { blockCount: 3, width: 512 },
]

/** The last convolution of a branch is weak, so that sums do not grow with depth. */
const branchGain = 0.3

function bottleneck(writer: NetworkWriter, from: Image, width: number, stride: number): Image {
  const outputChannels = width * 4
  let branch = writer.conv(from, width, 1)
  branch = writer.conv(branch, width, 3, { stride })
  branch = writer.conv(branch, outputChannels, 1, { activation: 'none', gain: branchGain })
  const changes = stride !== 1 || from.channels !== outputChannels
  const shortcut = changes
    ? writer.conv(from, outputChannels, 1, { stride, activation: 'none', gain: Math.SQRT1_2 })
    : from
  return writer.add(branch, shortcut, 'relu')
}

/** With the stride in the 3x3 convolution, as PyTorch has it, and batch normalization folded into the weights. */
export function resnet50(): Network {
  const writer = new NetworkWriter(50)
  let image = writer.conv(writer.image(3, 224), 64, 7, { stride: 2 })
  image = writer.maxPool(image, 3, 2, 1)
  for (const [i, { blockCount, width }] of stages.entries()) {
    for (let block = 0; block < blockCount; block++) {
      image = bottleneck(writer, image, width, block === 0 && i > 0 ? 2 : 1)
    }
  }
  const row = writer.dense(writer.globalAverage(image), 1000, 'none')
  return writer.finish('resnet50', [1, 3, 224, 224], writer.softmax(row))
}

/** The same in 8 bits, up to the softmax. */
export function resnet50Int8(): Network {
  return { ...resnet50(), name: 'resnet50-int8', isQuantized: true }
}
