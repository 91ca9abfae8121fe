// SPDX-License-Identifier: Apache-2.0
import {
  type CompiledModel,
  compileGraph,
  importModel,
  type StateOption,
  type WeightsStorage,
} from '@mlcapsule/model-graph'
import { fileModelSource } from '@mlcapsule/model-graph/node'

export interface CompileModelOptions {
  /** Sizes for symbolic dimensions of the inputs, by name. */
  readonly symbols?: Readonly<Record<string, number>>
  /** What the enclave carries from query to query; nothing by default. */
  readonly states?: StateOption
  /** How weights of dense layers and convolutions are kept; float32 by default. */
  readonly weights?: WeightsStorage
}

/**
 * Compiles a model, of ONNX or TensorFlow.js, and does some work with the result. Weights are read from the model's files
 * while that work streams them.
 * @throws ModelError any `MODEL_*` code
 */
export async function withCompiledModel<Result>(
  path: string,
  { states = 'none', weights = 'f32', ...options }: CompileModelOptions,
  work: (model: CompiledModel) => Promise<Result>,
): Promise<Result> {
  const source = await fileModelSource(path)
  try {
    return await work(await compileGraph(await importModel(source, options), { states, weights }))
  } finally {
    await source.close()
  }
}
