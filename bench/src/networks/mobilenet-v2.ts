// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { type Image, NetworkWriter } from './network-writer.ts'

/** Expansion, output channels, repeats and first stride of the bottlenecks: Sandler et al., arXiv:1801.04381, table 2. */
const bottlenecks: readonly (readonly [
  expansion: number,
  channels: number,
  repeats: number,
  stride: number,
])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
]

function inverted(
  writer: NetworkWriter,
  from: Image,
  expansion: number,
  channels: number,
  stride: number,
): Image {
  const adds = stride === 1 && from.channels === channels
  const wide =
    expansion === 1 ? from : writer.conv(from, from.channels * expansion, 1, { activation: 'relu6' })
  const filtered = writer.conv(wide, wide.channels, 3, { stride, groups: wide.channels, activation: 'relu6' })
  const narrow = writer.conv(filtered, channels, 1, { activation: 'none', gain: adds ? 0.5 : Math.SQRT1_2 })
  return adds ? writer.add(narrow, from, 'none') : narrow
}

export function mobilenetV2(): Network {
  const writer = new NetworkWriter(2)
  let image = writer.conv(writer.image(3, 224), 32, 3, { stride: 2, activation: 'relu6' })
  for (const [expansion, channels, repeats, stride] of bottlenecks) {
    for (let i = 0; i < repeats; i++)
      image = inverted(writer, image, expansion, channels, i === 0 ? stride : 1)
  }
  image = writer.conv(image, 1280, 1, { activation: 'relu6' })
  const row = writer.dense(writer.globalAverage(image), 1000, 'none')
  return writer.finish('mobilenetv2', [1, 3, 224, 224], writer.softmax(row))
}
