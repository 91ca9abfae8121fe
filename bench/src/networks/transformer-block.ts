// SPDX-License-Identifier: Apache-2.0
import type { Network } from './network.ts'
import { NetworkWriter, type Row } from './network-writer.ts'

const sequence = 128
const width = 768
const headCount = 12
const hiddenWidth = 3072

/** One pre-norm block of the base size of ViT and BERT: attention, then an MLP with GELU. */
export function transformerBlock(): Network {
  const writer = new NetworkWriter(12)
  const input: Row = { name: 'input', width }
  const normed = writer.layerNorm(input)
  const project = () => writer.dense(normed, width, 'none', sequence)
  const attended = writer.attention(project(), project(), project(), headCount, sequence)
  const added = writer.addRows(writer.dense(attended, width, 'none', sequence), input)
  const hidden = writer.dense(writer.layerNorm(added), hiddenWidth, 'gelu', sequence)
  const output = writer.addRows(writer.dense(hidden, width, 'none', sequence), added)
  return writer.finish('transformer', [sequence, width], output)
}
