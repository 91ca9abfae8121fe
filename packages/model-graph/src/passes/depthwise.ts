// SPDX-License-Identifier: Apache-2.0
import type { NodeOf } from '../graph/graph.ts'

/** Whether a convolution has one filter per channel, for which there is a direct kernel. It takes no residual. */
export function isDepthwise(node: NodeOf<'conv2d'>): boolean {
  const { groups } = node.attributes
  return groups > 1 && groups === node.output.dims[1] && groups === node.inputs[0]?.dims[1]
}
