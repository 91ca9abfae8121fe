// SPDX-License-Identifier: Apache-2.0
import { type CompiledModel, compileGraph, importModel, type StateOption } from '@mlcapsule/model-graph'
import { fileModelSource } from '@mlcapsule/model-graph/node'

export interface CompileModelOptions {
  /** Sizes for symbolic dimensions of the inputs, by name. */
  readonly symbols?: Readonly<Record<string, number>>
  /** What the enclave carries from query to query; nothing by default. */
  readonly states?: StateOption
}

/**
 * Compiles a model, of ONNX or TensorFlow.js, and does some work with the result. Weights are read from the model's files
 * while that work streams them.
 * @throws ModelError any `MODEL_*` code
 */
export async function withCompiledModel<Result>(
  path: string,
  { states = 'none', ...options }: CompileModelOptions,
  work: (model: CompiledModel) => Promise<Result>,
): Promise<Result> {
  const source = await fileModelSource(path)
  try {
    return await work(await compileGraph(await importModel(source, options), { states }))
  } finally {
    await source.close()
  }
}
