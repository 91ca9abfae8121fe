// SPDX-License-Identifier: Apache-2.0
import type { KernelStep } from '../program/geometry.ts'
import { lowerBinary, lowerSoftmax, lowerUnary } from './lower-elements.ts'
import { lowerConcat, lowerExpand, lowerPad, lowerSlice, lowerTranspose } from './lower-moves.ts'
import { lowerDense, lowerMatmul } from './lower-products.ts'
import {
  lowerDequantize,
  lowerQuantize,
  lowerQuantizedAdd,
  lowerQuantizedConv2d,
  lowerQuantizedDense,
  lowerQuantizedMaxPool2d,
} from './lower-quantized.ts'
import { lowerConv2d, lowerDepthwiseConv2d, lowerPool2d } from './lower-windows.ts'
import type { Lowering } from './lowering.ts'

/** Turns a step into the records that run it. */
export function lowerStep(step: KernelStep, to: Lowering): void {
  switch (step.op) {
    case 'conv2d':
      lowerConv2d(step, to)
      break
    case 'depthwiseConv2d':
      lowerDepthwiseConv2d(step, to)
      break
    case 'dense':
      lowerDense(step, to)
      break
    case 'matmul':
      lowerMatmul(step, to)
      break
    case 'pool2d':
      lowerPool2d(step, to)
      break
    case 'unary':
      lowerUnary(step, to)
      break
    case 'binary':
      lowerBinary(step, to)
      break
    case 'softmax':
      lowerSoftmax(step, to)
      break
    case 'transpose':
      lowerTranspose(step, to)
      break
    case 'concat':
      lowerConcat(step, to)
      break
    case 'slice':
      lowerSlice(step, to)
      break
    case 'pad':
      lowerPad(step, to)
      break
    case 'expand':
      lowerExpand(step, to)
      break
    case 'quantizedConv2d':
      lowerQuantizedConv2d(step, to)
      break
    case 'quantizedDense':
      lowerQuantizedDense(step, to)
      break
    case 'quantize':
      lowerQuantize(step, to)
      break
    case 'dequantize':
      lowerDequantize(step, to)
      break
    case 'quantizedAdd':
      lowerQuantizedAdd(step, to)
      break
    case 'quantizedMaxPool2d':
      lowerQuantizedMaxPool2d(step, to)
      break
  }
}
