// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { elementCount, type Tensor } from '@mlcapsule/contracts'
import { decodeTensorProto } from '@mlcapsule/model-graph'

/** Folders of stored inputs and outputs beside a model, in order. */
export function testDataSets(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('test_data_set_'))
    .sort()
    .map((name) => join(folder, name))
}

/** Tensor `<prefix>_<i>.pb` of a set of test data; null where the file is left out. */
export async function readTensor(
  dataSet: string,
  prefix: 'input' | 'output',
  i: number,
): Promise<Tensor | null> {
  const path = join(dataSet, `${prefix}_${i}.pb`)
  return existsSync(path) ? decodeTensorProto(await readFile(path)).tensor : null
}

/** All tensors of a set of test data, from `<prefix>_0.pb` on. */
export async function readTensors(dataSet: string, prefix: 'input' | 'output'): Promise<readonly Tensor[]> {
  const tensors: Tensor[] = []
  for (let i = 0; ; i++) {
    const tensor = await readTensor(dataSet, prefix, i)
    if (tensor === null) return tensors
    tensors.push(tensor)
  }
}

/** Element i of N is i / N: what graphs are fed whose input is not stored. */
export function ramp(shape: readonly number[]): Tensor {
  const count = elementCount(shape)
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, (_, i) => i / count) }
}
