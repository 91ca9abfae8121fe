// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { type CompiledModel, compileGraph, importOnnx, memoryModelSource } from '../index.ts'
import { tinyModel } from '../testing/index.ts'

async function weightsOf({ weights }: CompiledModel): Promise<Uint8Array> {
  const bytes = new Uint8Array(weights.sizeBytes)
  let at = 0
  for await (const chunk of weights.chunks()) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

test('a model in a Node buffer, at any offset, compiles as it does from plain bytes', async () => {
  const model = tinyModel({ kind: 'cnn', seed: 3 })
  const plain = await compileGraph(await importOnnx(memoryModelSource(model)))
  for (const offsetBytes of [1, 2, 3]) {
    const buffer = Buffer.alloc(model.length + 8).subarray(offsetBytes, offsetBytes + model.length)
    buffer.set(model)
    const compiled = await compileGraph(await importOnnx(memoryModelSource(buffer)))
    expect(compiled.program).toEqual(plain.program)
    expect(await weightsOf(compiled)).toEqual(await weightsOf(plain))
  }
})
