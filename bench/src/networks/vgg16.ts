// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { NetworkWriter, type Row } from './network-writer.ts'

/** Configuration D of Simonyan and Zisserman, arXiv:1409.1556, table 1: 3x3 convolutions between poolings. */
const stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
]

export function vgg16(): Network {
  const writer = new NetworkWriter(16)
  let image = writer.image(3, 224)
  for (const stage of stages) {
    for (const channels of stage) image = writer.conv(image, channels, 3)
    image = writer.maxPool(image, 2, 2)
  }
  let row: Row = writer.flatten(image)
  row = writer.dense(row, 4096, 'relu')
  row = writer.dense(row, 4096, 'relu')
  row = writer.dense(row, 1000, 'none')
  return writer.finish('vgg16', [1, 3, 224, 224], writer.softmax(row))
}
