// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBinary, ModelProtoSchema, TensorProtoSchema, toBinary } from '@mlcapsule/model-graph/onnx-proto'

/** A model with all inputs but the first made constants, as weights are in real models; null where there are none. */
export async function withConstantInputs(bytes: Uint8Array, dataSet: string): Promise<Uint8Array | null> {
  const model = fromBinary(ModelProtoSchema, bytes)
  const { graph } = model
  if (graph === undefined || graph.input.length < 2 || graph.initializer.length > 0) return null
  for (const [i, { name }] of graph.input.entries()) {
    const path = join(dataSet, `input_${i}.pb`)
    if (i === 0 || !existsSync(path)) continue
    graph.initializer.push({ ...fromBinary(TensorProtoSchema, await readFile(path)), name })
  }
  return graph.initializer.length === 0 ? null : toBinary(ModelProtoSchema, model)
}
