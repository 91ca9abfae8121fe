// SPDX-License-Identifier: Apache-2.0
import type { Network } from '../networks/network.ts'
import { toOnnx } from './onnx.ts'
import { toQdqOnnx } from './qdq-onnx.ts'
import { calibrated } from './ranges.ts'

const written = new Map<string, Promise<Uint8Array>>()

/** The bytes of a network as an ONNX file: the same for every engine of a contest, and written once. */
export function onnxOf(network: Network): Promise<Uint8Array> {
  const known = written.get(network.name)
  if (known !== undefined) return known
  const bytes = network.isQuantized
    ? calibrated(network).then((ranges) => toQdqOnnx(network, ranges))
    : Promise.resolve(toOnnx(network))
  written.set(network.name, bytes)
  return bytes
}
