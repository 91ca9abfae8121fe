// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, elementSizeBytes } from '@mlcapsule/contracts'
import { ModelError, quote } from '../errors.ts'
import { castConstant } from '../graph/cast.ts'
import { type ConstantTensor, newTensorData, sourceConstant } from '../graph/constant.ts'
import { checkDims } from '../graph/dims.ts'
import type { ModelSource } from '../source/model-source.ts'
import { type Fields, malformed } from './fields.ts'
import { shardSource } from './shards.ts'

/** How the elements of a weight are stored: its dtype in the file, and what they become. */
interface Storage {
  readonly stored: DType
  readonly decode: (constant: ConstantTensor) => ConstantTensor
}

/** `value * scale + min`, rounded where the elements are integers. */
function dequantized(constant: ConstantTensor, dtype: DType, scale: number, min: number): ConstantTensor {
  return {
    dtype,
    dims: constant.dims,
    splat: null,
    transposeOf: null,
    async read(start, count) {
      const stored = (await constant.read(start, count)) as Uint8Array
      const data = newTensorData(dtype, count) as Float32Array
      for (let i = 0; i < count; i++) {
        const value = (stored[i] as number) * scale + min
        data[i] = dtype === 'int32' ? Math.round(value) : value
      }
      return data
    },
  }
}

function quantizedStorage(quantization: Fields, dtype: 'float32' | 'int32', what: string): Storage {
  const stored = quantization.string('dtype')
  if (stored === 'float16') return { stored, decode: (constant) => castConstant(constant, dtype) }
  if (stored !== 'uint8' && stored !== 'uint16') {
    throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} is quantized to ${quote(stored)}`)
  }
  const scale = quantization.number('scale')
  const min = quantization.number('min')
  return { stored, decode: (constant) => dequantized(constant, dtype, scale, min) }
}

function storageOf(weight: Fields, what: string): Storage {
  const dtype = weight.string('dtype')
  if (weight.has('quantization')) {
    if (dtype !== 'float32' && dtype !== 'int32') {
      throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} is a quantized ${quote(dtype)}`)
    }
    return quantizedStorage(weight.object('quantization'), dtype, what)
  }
  switch (dtype) {
    case 'float32':
    case 'int32':
      return { stored: dtype, decode: (constant) => constant }
    case 'float16':
      return { stored: 'float16', decode: (constant) => castConstant(constant, 'float32') }
    case 'bool':
      return { stored: 'uint8', decode: (constant) => castConstant(constant, 'bool') }
    case 'uint8':
      return { stored: 'uint8', decode: (constant) => castConstant(constant, 'int32') }
    default:
      throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} has elements of type ${quote(dtype)}`)
  }
}

/** The tensors of one group, which lie one after another without gaps. */
async function readGroup(
  group: Fields,
  source: ModelSource,
  weights: Map<string, ConstantTensor>,
): Promise<void> {
  const paths = group.list('paths').map((it) => {
    return typeof it === 'string' ? it : malformed(`a path of ${group.where} is not text`)
  })
  const file = await shardSource(source, paths)
  let offsetBytes = 0
  for (const weight of group.objects('weights')) {
    const name = weight.string('name')
    const what = `weight ${quote(name)}`
    if (weights.has(name)) throw new ModelError('MODEL_NAME_DUPLICATE', `${what} is given twice`)
    const dims = weight.integers('shape')
    checkDims(dims, what)
    const { stored, decode } = storageOf(weight, what)
    const sizeBytes = elementCount(dims) * elementSizeBytes(stored)
    if (offsetBytes + sizeBytes > file.sizeBytes) {
      throw new ModelError(
        'MODEL_TENSOR_INVALID',
        `${what} needs ${sizeBytes} bytes at ${offsetBytes} of its group, which has ${file.sizeBytes}`,
      )
    }
    weights.set(name, decode(sourceConstant(stored, dims, file, offsetBytes)))
    offsetBytes += sizeBytes
  }
}

/**
 * All weights of a model by name. They stay in their files.
 * @see https://github.com/tensorflow/tfjs weightsManifest, as in `tfjs-core/src/io/types.ts`
 * @throws ModelError `MODEL_TFJS_MALFORMED`, `MODEL_TENSOR_INVALID`, `MODEL_DTYPE_UNSUPPORTED`, `MODEL_NAME_DUPLICATE`,
 * `MODEL_EXTERNAL_DATA_REFUSED`, `MODEL_READ_FAILED`, `MODEL_TOO_LARGE`
 */
export async function readWeights(
  model: Fields,
  source: ModelSource,
): Promise<ReadonlyMap<string, ConstantTensor>> {
  const weights = new Map<string, ConstantTensor>()
  for (const group of model.objects('weightsManifest', [])) await readGroup(group, source, weights)
  return weights
}
