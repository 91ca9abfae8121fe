// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { NetworkWriter } from './network-writer.ts'

/** After LeNet-5 (LeCun et al. 1998), with rectifiers and maxima: what a small classifier of digits looks like now. */
export function lenet(): Network {
  const writer = new NetworkWriter(5)
  let image = writer.conv(writer.image(1, 28), 6, 5, { pad: 2 })
  image = writer.maxPool(image, 2, 2)
  image = writer.conv(image, 16, 5, { pad: 0 })
  image = writer.maxPool(image, 2, 2)
  let row = writer.dense(writer.flatten(image), 120, 'relu')
  row = writer.dense(row, 84, 'relu')
  row = writer.dense(row, 10, 'none')
  return writer.finish('lenet', [1, 1, 28, 28], writer.softmax(row))
}
