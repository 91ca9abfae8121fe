// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend } from '@mlcapsule/contracts'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, describe, expect, test } from 'vitest'
import { referenceKernels } from '../reference/index.ts'
import { wasmKernels } from '../wasm/index.ts'
import type { MlcapsuleBackend } from './backend.ts'
import { registerMlcapsuleBackend } from './index.ts'

const usedBytes = () => (tf.memory() as unknown as { numBytesInKernels: number }).numBytesInKernels
const backend = () => tf.backend() as unknown as MlcapsuleBackend

async function start(
  kernels: KernelBackend,
  sizes: { memorySizeBytes?: number; maxMemorySizeBytes?: number } = {},
) {
  await registerMlcapsuleBackend({ kernels, ...sizes })
  await tf.setBackend('mlcapsule')
}

afterEach(() => tf.removeBackend('mlcapsule'))

describe.each([wasmKernels, referenceKernels])('tensors in the memory of the $name kernels', (kernels) => {
  test('keep their numbers while the memory grows', async () => {
    await start(kernels, { memorySizeBytes: 256 })
    const first = tf.tensor1d([1, 2, 3])
    const large = tf.fill([5000], 7)
    expect(Array.from(tf.add(first, tf.scalar(1)).dataSync())).toEqual([2, 3, 4])
    expect(Array.from(first.dataSync())).toEqual([1, 2, 3])
    expect(tf.sum(large).dataSync()[0]).toBe(35_000)
  })

  test('are refused beyond the largest memory, and the rest stays', async () => {
    await start(kernels, { memorySizeBytes: 1024, maxMemorySizeBytes: 4096 })
    const kept = tf.tensor1d([4, 5])
    expect(() => tf.zeros([2000])).toThrow(expect.objectContaining({ code: 'KERNEL_MEMORY_TOO_LARGE' }))
    expect(Array.from(kept.dataSync())).toEqual([4, 5])
  })

  test('give their memory back with the last reference', async () => {
    await start(kernels)
    const x = tf.tensor1d([1, 2, 3, 4])
    const square = tf.reshape(x, [2, 2])
    expect([usedBytes(), backend().numDataIds()]).toEqual([64, 1])
    x.dispose()
    expect(usedBytes()).toBe(64)
    expect(Array.from(square.dataSync())).toEqual([1, 2, 3, 4])
    square.dispose()
    expect([usedBytes(), backend().numDataIds()]).toEqual([0, 0])
  })

  test('take packed filters with them', async () => {
    await start(kernels)
    const image = tf.ones([1, 4, 4, 1]) as tf.Tensor4D
    const filter = tf.ones([2, 2, 1, 1]) as tf.Tensor4D
    const before = usedBytes()
    const first = tf.conv2d(image, filter, 1, 'valid')
    const packed = usedBytes() - before - 64
    expect(packed).toBe(2 * 2 * 16 * 4)
    tf.conv2d(image, filter, 1, 'valid').dispose()
    expect(usedBytes() - before - 64).toBe(packed)
    expect(Array.from(first.dataSync())).toEqual(new Array(9).fill(4))
    tf.dispose([image, filter, first])
    expect(usedBytes()).toBe(0)
  })

  test('hold integers and bool exactly, complex numbers by parts, strings outside', async () => {
    await start(kernels)
    const large = tf.tensor1d([2 ** 30, -(2 ** 30) - 1], 'int32')
    expect(Array.from(tf.add(large, tf.scalar(1, 'int32')).dataSync())).toEqual([2 ** 30 + 1, -(2 ** 30)])
    expect(Array.from(tf.tensor1d([true, false], 'bool').dataSync())).toEqual([1, 0])
    expect(Array.from(tf.complex([1, 2], [3, 4]).dataSync())).toEqual([1, 3, 2, 4])
    expect(tf.tile(tf.tensor1d(['a', 'ü']), [2]).dataSync()).toEqual(['a', 'ü', 'a', 'ü'])
  })

  test('of a kernel that fails leave nothing behind', async () => {
    await start(kernels)
    const [table, other] = [tf.ones([4, 3]), tf.ones([2, 3])]
    const far = tf.tensor1d([9], 'int32')
    const farTuple = tf.tensor2d([[9]], [1, 1], 'int32')
    const update = tf.tensor1d([5])
    const held = () => [usedBytes(), backend().numDataIds()]
    const before = held()
    expect(() => tf.gather(table, far)).toThrow(RangeError)
    expect(() => tf.gatherND(table, farTuple)).toThrow(RangeError)
    expect(() => tf.scatterND(farTuple, update, [4])).toThrow(RangeError)
    expect(() => tf.einsum('ij,jk->ik', table, other)).toThrow()
    expect(held()).toEqual(before)
    tf.dispose([table, other, far, farTuple, update])
    expect(held()).toEqual([0, 0])
  })

  test('are not made of shapes below 0, and others stay apart', async () => {
    await start(kernels)
    const image = tf.ones([1, 2, 4, 1]) as tf.Tensor4D
    const filter = tf.ones([3, 3, 1, 1]) as tf.Tensor4D
    const before = usedBytes()
    // 2 rows, 5 rows under the filter: [1, -2, 0, 1] and [1, -2, 1, 1].
    for (const dilations of [2, [2, 1]] as (number | [number, number])[]) {
      expect(() => tf.conv2d(image, filter, 1, 'valid', 'NHWC', dilations)).toThrow(RangeError)
    }
    expect(usedBytes()).toBe(before)
    const [a, b] = [tf.fill([100], 1), tf.fill([100], 2)]
    expect([tf.sum(a).dataSync()[0], tf.sum(b).dataSync()[0], tf.sum(image).dataSync()[0]]).toEqual([
      100, 200, 8,
    ])
  })

  test('multiply integers exactly', async () => {
    await start(kernels)
    const x = tf.tensor2d([[16_777_217, 2]], [1, 2], 'int32')
    const product = tf.matMul(x, tf.tensor2d([[1], [1]], [2, 1], 'int32'))
    expect([product.dtype, ...product.dataSync()]).toEqual(['int32', 16_777_219])
  })

  test('come from another backend when they are used', async () => {
    await start(kernels, { memorySizeBytes: 128 })
    const x = tf.tensor1d([1, 2])
    const mine = backend()
    tf.registerBackend('other', () => new OneTensor())
    await tf.setBackend('other')
    const foreign = tf.tensor1d([5, 7])
    await tf.setBackend('mlcapsule')
    // Fetching it, the memory grows.
    expect(Array.from(tf.mod(foreign, x).dataSync())).toEqual([0, 1])
    expect(mine.refCount(foreign.dataId)).toBe(1)
    tf.removeBackend('other')
  })
})

/** As little of a backend as it takes to hold a tensor. */
class OneTensor extends tf.KernelBackend {
  #values: tf.BackendValues = new Float32Array()
  override write(values: tf.BackendValues): object {
    this.#values = values
    return {}
  }
  override readSync(): tf.BackendValues {
    return this.#values
  }
  override refCount(): number {
    return 1
  }
  override disposeData(): boolean {
    return true
  }
  override numDataIds(): number {
    return 1
  }
  override floatPrecision(): 16 | 32 {
    return 32
  }
  override dispose(): void {}
}
