// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'
import { type AnyRecord, enumNumber } from '../records/record.ts'
import { floatWeights } from '../records/weights.ts'

const nothing = { activation: 0, activationAlpha: 0, activationBeta: 0 }
const onePixel = {
  batch: 1,
  inputHeight: 1,
  inputWidth: 1,
  outputHeight: 1,
  outputWidth: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  padTop: 0,
  padLeft: 0,
  dilationHeight: 1,
  dilationWidth: 1,
}

/** Floats 0 and 1 hold 2 and -3, panels start at float 16, outputs at float 48. */
const output = 48 * 4
const questions: readonly { readonly record: AnyRecord; readonly answer: readonly number[] }[] = [
  {
    record: {
      op: 'conv2d',
      ...onePixel,
      ...nothing,
      input: 0,
      weights: 64,
      bias: 4,
      residual: 0,
      output,
      inputChannels: 2,
      outputChannels: 1,
      groups: 1,
      flags: 1,
      outputGap: 0,
      ...floatWeights,
    },
    answer: [2 * 5 + -3 * 7 - 3],
  },
  {
    record: {
      op: 'depthwiseConv2d',
      ...onePixel,
      ...nothing,
      input: 0,
      weights: 64,
      bias: 0,
      output,
      channels: 1,
      flags: 0,
    },
    answer: [2 * 5],
  },
  {
    record: {
      op: 'dense',
      ...nothing,
      input: 0,
      weights: 64,
      bias: 0,
      residual: 0,
      output,
      rowCount: 1,
      innerCount: 2,
      columnCount: 1,
      outputGap: 0,
      flags: 2,
      ...floatWeights,
    },
    answer: [2 * 5 + -3 * 7 + 2],
  },
  {
    record: {
      op: 'matmul',
      a: 0,
      b: 0,
      output,
      batchCount: 1,
      rowCount: 2,
      innerCount: 1,
      columnCount: 2,
      aBatchStride: 0,
      bBatchStride: 0,
    },
    answer: [4, -6, -6, 9],
  },
  {
    record: {
      op: 'pool2d',
      ...onePixel,
      inputWidth: 2,
      kernelWidth: 2,
      channels: 1,
      padBottom: 0,
      padRight: 0,
      pool: enumNumber('pool', 'average'),
      countIncludePad: 0,
      input: 0,
      output,
    },
    answer: [-0.5],
  },
  {
    record: {
      op: 'unary',
      input: 0,
      output,
      count: 2,
      unary: enumNumber('unary', 'abs'),
      alpha: 0,
      beta: 0,
    },
    answer: [2, 3],
  },
  {
    record: {
      op: 'binary',
      ...nothing,
      a: 0,
      b: 4,
      output,
      binary: enumNumber('binary', 'sub'),
      dims: [1, 1, 1, 1, 1, 2],
      aStrides: [0, 0, 0, 0, 0, 1],
      bStrides: [0, 0, 0, 0, 0, 0],
    },
    answer: [5, 0],
  },
  {
    record: { op: 'softmax', input: 0, output, outerCount: 2, axisCount: 1, innerCount: 1, softmax: 0 },
    answer: [1, 1],
  },
  {
    record: {
      op: 'copy',
      input: 4,
      output,
      elementSizeBytes: 4,
      dims: [1, 1, 1, 1, 1, 1, 1, 2],
      inputStrides: [0, 0, 0, 0, 0, 0, 0, -1],
      outputStrides: [0, 0, 0, 0, 0, 0, 0, 1],
    },
    answer: [-3, 2],
  },
  { record: { op: 'fill', output, elementSizeBytes: 4, count: 1, bits: 0x40e00000 }, answer: [7] },
]

/** Asks one small question of each op. @throws KernelError `KERNEL_SELF_TEST_FAILED` naming the op */
export function assertKnownAnswers(run: (record: AnyRecord, floats: Float32Array) => void): void {
  for (const { record, answer } of questions) {
    const floats = new Float32Array(64)
    floats.set([2, -3])
    floats[16] = 5
    floats[32] = 7
    run(record, floats)
    for (const [i, expected] of answer.entries()) {
      const actual = floats[48 + i]
      if (actual !== expected) {
        throw new KernelError('KERNEL_SELF_TEST_FAILED', `${record.op}: expected ${expected}, got ${actual}`)
      }
    }
  }
}
