// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { fromBinary, ModelProtoSchema } from '@mlcapsule/model-graph/onnx-proto'
import type { Sample, StoredModel } from './inventory.ts'

/** Sizes that a sample has for the symbolic dimensions of an ONNX model's inputs. */
export function symbolsOf({ path }: StoredModel, { inputs }: Sample): Readonly<Record<string, number>> {
  const { graph } = fromBinary(ModelProtoSchema, readFileSync(path))
  const constants = new Set(graph?.initializer.map((it) => it.name))
  const sizes: Record<string, number> = {}
  for (const [i, { type }] of (graph?.input.filter((it) => !constants.has(it.name)) ?? []).entries()) {
    const dims = type?.value.case === 'tensorType' ? (type.value.value.shape?.dim ?? []) : []
    for (const [axis, { value }] of dims.entries()) {
      if (value.case === 'dimParam') sizes[value.value] = inputs[i]?.shape[axis] ?? 1
    }
  }
  return sizes
}
