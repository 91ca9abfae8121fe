// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { compileGraph, importOnnx, memoryModelSource } from '../index.ts'
import { tinyModel } from '../testing/index.ts'

test('a model in a Node buffer, at any offset, compiles as it does from plain bytes', async () => {
  const model = tinyModel({ kind: 'cnn', seed: 3 })
  const plain = await compileGraph(await importOnnx(memoryModelSource(model)))
  for (const offsetBytes of [1, 2, 3]) {
    const buffer = Buffer.alloc(model.length + 8).subarray(offsetBytes, offsetBytes + model.length)
    buffer.set(model)
    const compiled = await compileGraph(await importOnnx(memoryModelSource(buffer)))
    expect(compiled.program).toEqual(plain.program)
    expect(await Array.fromAsync(compiled.weights.chunks())).toEqual(
      await Array.fromAsync(plain.weights.chunks()),
    )
  }
})
