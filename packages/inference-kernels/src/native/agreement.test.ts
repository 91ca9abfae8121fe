// SPDX-License-Identifier: Apache-2.0
// The same records on every instruction set, on one thread and on two, and on wasm.
import { existsSync } from 'node:fs'
import type { KernelBackend } from '@mlcapsule/contracts'
import { describe, expect, it } from 'vitest'
import { recordEnums } from '../abi.generated.ts'
import { enumNumber, makeRecord } from '../records/record.ts'
import { floatWeights } from '../records/weights.ts'
import { wasmKernels } from '../wasm/index.ts'
import { defaultAddonPath } from './addon.ts'
import { createNativeKernels, listNativeIsas } from './index.ts'

const built = existsSync(defaultAddonPath())
const isas = built ? listNativeIsas() : []
const memorySizeBytes = 2 ** 20
const outputAddress = 2 ** 19
const window = { strideHeight: 1, strideWidth: 1, padTop: 1, padLeft: 1, dilationHeight: 1, dilationWidth: 1 }
const image = { batch: 1, inputHeight: 20, inputWidth: 20, outputHeight: 20, outputWidth: 20 }
const silu = { activation: enumNumber('activation', 'silu'), activationAlpha: 0, activationBeta: 0 }

const products: Record<string, Int32Array> = {
  conv2d: makeRecord('conv2d', {
    ...image,
    ...window,
    ...silu,
    input: 0,
    weights: 65_536,
    bias: 32_768,
    residual: 2 ** 18,
    output: outputAddress,
    inputChannels: 18,
    outputChannels: 70,
    kernelHeight: 3,
    kernelWidth: 3,
    groups: 1,
    flags: 3,
    outputGap: 0,
    ...floatWeights,
  }),
  depthwiseConv2d: makeRecord('depthwiseConv2d', {
    ...image,
    ...window,
    ...silu,
    input: 0,
    weights: 65_536,
    bias: 32_768,
    output: outputAddress,
    channels: 37,
    kernelHeight: 3,
    kernelWidth: 3,
    flags: 1,
  }),
  dense: makeRecord('dense', {
    ...silu,
    input: 0,
    weights: 65_536,
    bias: 32_768,
    residual: 0,
    output: outputAddress,
    rowCount: 1,
    innerCount: 300,
    columnCount: 330,
    flags: 1,
    outputGap: 0,
    ...floatWeights,
  }),
  matmul: makeRecord('matmul', {
    a: 0,
    b: 65_536,
    output: outputAddress,
    batchCount: 3,
    rowCount: 50,
    innerCount: 60,
    columnCount: 70,
    aBatchStride: 3000,
    bBatchStride: 0,
  }),
}

const exact: Record<string, Int32Array> = {
  softmax: makeRecord('softmax', {
    input: 0,
    output: outputAddress,
    outerCount: 3,
    axisCount: 1001,
    innerCount: 1,
    softmax: 0,
  }),
  ...Object.fromEntries(
    recordEnums.unary.map((name) => [
      name,
      makeRecord('unary', {
        input: 0,
        output: outputAddress,
        count: 20_000,
        unary: enumNumber('unary', name),
        alpha: -0.25,
        beta: 0.5,
      }),
    ]),
  ),
}

async function runOn(backend: KernelBackend, threadCount: number, record: Int32Array) {
  const kernels = await backend.create({ memorySizeBytes, threadCount })
  const floats = new Float32Array(kernels.memory.buffer, kernels.memory.byteOffset, memorySizeBytes / 4)
  for (let i = 0; i < outputAddress / 4; i++) floats[i] = (Math.imul(i + 1, 0x9e3779b1) >> 8) / 2 ** 22
  kernels.runStep(kernels.load(record), 0)
  const output = floats.slice(outputAddress / 4)
  kernels.dispose()
  return output
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] as number))), 0)
}

for (const isa of ['scalar', 'avx2', 'avx512', 'avx512vnni', 'neon']) {
  if (!isas.includes(isa)) {
    it.skip(`native ${isa} (skipped: not in this addon or not on this CPU)`, () => {})
    continue
  }
  describe(`native ${isa}`, () => {
    const backend = createNativeKernels({ isa })
    it('two threads give the bits of one', async () => {
      for (const [op, record] of Object.entries({ ...products, ...exact })) {
        expect(await runOn(backend, 2, record), op).toEqual(await runOn(backend, 1, record))
      }
    })
    it('products agree with wasm', async () => {
      for (const [op, record] of Object.entries(products)) {
        const ours = await runOn(backend, 1, record)
        const theirs = await runOn(wasmKernels, 1, record)
        expect(ours.some((value) => Math.abs(value) > 0.1)).toBe(true)
        // Up to 302 terms, each at most 4 in size, on both sides: (K + 2) * 2^-24 * sum |a*b| twice.
        expect(largestDifference(ours, theirs), op).toBeLessThan(2 * 304 * 2 ** -24 * 302 * 4)
      }
    })
    it('all else has the bits of wasm', async () => {
      for (const [op, record] of Object.entries(exact)) {
        expect(await runOn(backend, 1, record), op).toEqual(await runOn(wasmKernels, 1, record))
      }
    })
  })
}
