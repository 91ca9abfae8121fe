// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { type ModelSource, memoryModelSource } from '../source/model-source.ts'

/** A weight as it stands in the manifest, and the bytes that are stored for it. */
export interface TfjsWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype?: string
  readonly quantization?: Readonly<Record<string, unknown>>
  readonly data: Float32Array | Int32Array | Uint16Array | Uint8Array
}

/** A model of TensorFlow.js in few words. */
export interface TfjsModel {
  /** The field `modelTopology`. */
  readonly topology: unknown
  readonly weights?: readonly TfjsWeight[]
  /** Further fields of model.json. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Size of each file of weights; all are in one where it is left out. */
  readonly shardSizeBytes?: number
}

/** The bytes of model.json, and of the files of weights by name. */
export function tfjsFiles({ topology, weights = [], fields = {}, shardSizeBytes }: TfjsModel): {
  readonly model: Uint8Array
  readonly shards: ReadonlyMap<string, Uint8Array>
} {
  const parts = weights.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  const step = Math.max(1, shardSizeBytes ?? bytes.length)
  const shards = new Map<string, Uint8Array>()
  for (let start = 0; start < bytes.length; start += step) {
    shards.set(`group1-shard${shards.size + 1}.bin`, bytes.slice(start, start + step))
  }
  const manifest = weights.map(({ data: _, ...rest }) => ({ dtype: 'float32', ...rest }))
  const json = {
    modelTopology: topology,
    weightsManifest: weights.length === 0 ? [] : [{ paths: [...shards.keys()], weights: manifest }],
    ...fields,
  }
  return { model: new TextEncoder().encode(JSON.stringify(json)), shards }
}

export function tfjsSource(model: TfjsModel): ModelSource {
  const files = tfjsFiles(model)
  return memoryModelSource(files.model, files.shards)
}

/** A weight of float32: element i is sin(0.7 i + phase). */
export function waveWeight(name: string, shape: readonly number[], phase = 0): TfjsWeight {
  return { name, shape, data: waveValues(elementCount(shape), phase) }
}

export function waveValues(count: number, phase: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(0.7 * i + phase))
}

/** The topology of a chain of layers: classes and configurations. */
export function layerChain(
  ...layers: readonly (readonly [className: string, config: Readonly<Record<string, unknown>>])[]
): unknown {
  return {
    class_name: 'Sequential',
    config: {
      name: 'chain',
      layers: layers.map(([className, config]) => ({ class_name: className, config })),
    },
  }
}
