// SPDX-License-Identifier: Apache-2.0
import type { Engine } from './engine.ts'
import { onnxruntimeNode, onnxruntimeWeb } from './onnxruntime.ts'
import { native, nativeF16, nativeInt8, wasm, wasmF16, wasmInt8 } from './ours.ts'
import { tfjsWasm } from './tfjs-wasm.ts'

/** Every engine by a short name. */
export const engines: Readonly<Record<string, Engine>> = {
  native,
  'native-f16': nativeF16,
  'native-int8': nativeInt8,
  wasm,
  'wasm-f16': wasmF16,
  'wasm-int8': wasmInt8,
  'onnxruntime-node': onnxruntimeNode,
  'onnxruntime-web': onnxruntimeWeb,
  'tfjs-wasm': tfjsWasm,
}
