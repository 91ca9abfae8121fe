// SPDX-License-Identifier: Apache-2.0
import type { WeightsStorage } from '@mlcapsule/model-graph'
import { networks } from '../networks/index.ts'
import type { Network } from '../networks/network.ts'
import { type Image, NetworkWriter } from '../networks/network-writer.ts'

/** A network of one layer, or of several alike: what is measured as the work grows. */
type Family = (...sizes: readonly number[]) => Network

const square = (writer: NetworkWriter, channels: number, size: number): [Image, readonly number[]] => [
  writer.image(channels, size),
  [1, channels, size, size],
]

function convolutions(count: number, channels: number, size: number): Network {
  const writer = new NetworkWriter(11)
  let [image, inputDims] = square(writer, channels, size)
  for (let i = 0; i < count; i++) image = writer.conv(image, channels, 3)
  return writer.finish('conv', inputDims, writer.globalAverage(image))
}

const families: Readonly<Record<string, Family>> = {
  /** One dense layer of n × n. */
  dense: (n = 1) => {
    const writer = new NetworkWriter(12)
    const row = writer.dense({ name: 'input', width: n }, n, 'none')
    return writer.finish('dense', [1, n], row)
  },
  /** One 3 × 3 convolution from channels to channels, then the mean of each channel. */
  conv: (channels = 1, size = 1) => convolutions(1, channels, size),
  /** A depthwise convolution and a pointwise one. */
  separable: (channels = 1, size = 1) => {
    const writer = new NetworkWriter(13)
    const [image, inputDims] = square(writer, channels, size)
    const depthwise = writer.conv(image, channels, 3, { groups: channels })
    return writer.finish(
      'separable',
      inputDims,
      writer.globalAverage(writer.conv(depthwise, channels, 1, { pad: 0 })),
    )
  },
  /** Convolutions one after another. */
  depth: (count = 1) => convolutions(count, 64, 28),
  width: (channels = 1) => convolutions(4, channels, 28),
  size: (size = 1) => convolutions(4, 64, size),
  /** A perceptron of about so many MiB of weights. */
  mib: (count = 1) => {
    const writer = new NetworkWriter(14)
    let row = { name: 'input', width: 512 }
    for (let i = 0; i < count; i++) row = writer.dense(row, 512, i === count - 1 ? 'none' : 'relu')
    return writer.finish('mib', [1, 512], writer.softmax(row))
  },
}

/** How the weights of a network are kept: `~int8` at the end of its name asks for smaller ones. */
export function weightsStorageOf(name: string): WeightsStorage {
  const storage = name.split('~')[1] ?? 'f32'
  if (storage === 'f32' || storage === 'f16' || storage === 'int8') return storage
  throw new Error(`weights are not kept as ${storage}`)
}

/**
 * A network by its name: one of `npm run bench`, or a family and its sizes, as in `conv-64-28`; `@4` after either asks for a
 * batch of 4.
 * @throws Error for a name that there is not
 */
export function networkNamed(name: string): Network {
  const [base = '', batch = '1'] = (name.split('~')[0] as string).split('@')
  const [family = '', ...sizes] = base.split('-')
  const network = networks[base]?.() ?? families[family]?.(...sizes.map(Number))
  if (network === undefined) throw new Error(`there is no network ${name}`)
  const itemCount = Number(batch)
  const [, ...item] = network.inputDims
  if (itemCount === 1) return { ...network, name }
  return { ...network, name, inputDims: [itemCount, ...item], macCount: network.macCount * itemCount }
}
