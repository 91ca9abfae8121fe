// SPDX-License-Identifier: Apache-2.0
import type { Engine } from './engine.ts'
import { onnxruntimeNode, onnxruntimeWeb } from './onnxruntime.ts'
import { native, wasm } from './ours.ts'
import { tfjsWasm } from './tfjs-wasm.ts'

/** Every engine by a short name. */
export const engines: Readonly<Record<string, Engine>> = {
  native,
  wasm,
  'onnxruntime-node': onnxruntimeNode,
  'onnxruntime-web': onnxruntimeWeb,
  'tfjs-wasm': tfjsWasm,
}
