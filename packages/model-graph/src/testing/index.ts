// SPDX-License-Identifier: Apache-2.0

export {
  buildModel,
  graphInit,
  type TestAttribute,
  type TestGraph,
  type TestModel,
  type TestNode,
  type TestTensor,
  testNode,
} from './build-model.ts'
export { type Comparison, compareTensors, type Tolerance } from './compare-tensors.ts'
export { randomFloats } from './random.ts'
export { runCompiled } from './run-compiled.ts'
export {
  layerChain,
  type TfjsModel,
  type TfjsWeight,
  tfjsFiles,
  tfjsSource,
  waveValues,
  waveWeight,
} from './tfjs-model.ts'
export { type TinyModelOptions, tinyModel } from './tiny-model.ts'
export { type VirtualModelOptions, virtualModelSource } from './virtual-model.ts'
