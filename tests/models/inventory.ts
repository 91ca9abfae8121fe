// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { readTensors, testDataSets } from '../conformance/test-data.ts'

/** A query with the answer that is right, by position where the source names no tensors. */
export interface Sample {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  /** Names of the outputs, where the file gives them. */
  readonly outputNames: readonly string[] | null
}

/** A model of a real origin with queries and answers. */
export interface StoredModel {
  readonly name: string
  readonly path: string
  readSamples(): Promise<readonly Sample[]>
}

async function onnxSamples(folder: string): Promise<readonly Sample[]> {
  const samples = testDataSets(folder).map(async (dataSet) => ({
    inputs: await readTensors(dataSet, 'input'),
    outputs: await readTensors(dataSet, 'output'),
    outputNames: null,
  }))
  return Promise.all(samples)
}

interface SampleFile {
  readonly name: string
  readonly shape: readonly number[]
  readonly file: string
}

/** `sample_<n>/sample.json` lists raw little-endian files of float32. */
function tfjsSamples(folder: string): readonly Sample[] {
  const names = readdirSync(folder).filter((it) => /^sample_\d+$/.test(it))
  return names.sort().map((name) => {
    const read = ({ shape, file }: SampleFile): Tensor => {
      const bytes = new Uint8Array(readFileSync(join(folder, name, file)))
      return { dtype: 'float32', shape, data: new Float32Array(bytes.buffer) }
    }
    const sample = JSON.parse(readFileSync(join(folder, name, 'sample.json'), 'utf8')) as {
      readonly inputs: readonly SampleFile[]
      readonly outputs: readonly SampleFile[]
    }
    return {
      inputs: sample.inputs.map(read),
      outputs: sample.outputs.map(read),
      outputNames: sample.outputs.map((it) => it.name),
    }
  })
}

/** Every folder that holds a `model.onnx`, or a `model.json` of TensorFlow.js, in order of name. */
export function readInventory(dir: string): readonly StoredModel[] {
  const found: StoredModel[] = []
  for (const name of readdirSync(dir).sort()) {
    const folder = join(dir, name)
    const [onnx, tfjs] = [join(folder, 'model.onnx'), join(folder, 'model.json')]
    if (existsSync(onnx)) {
      found.push({ name, path: onnx, readSamples: () => onnxSamples(folder) })
    } else if (existsSync(tfjs)) {
      found.push({ name, path: tfjs, readSamples: async () => tfjsSamples(folder) })
    }
  }
  return found
}
