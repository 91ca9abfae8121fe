// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, describe, expect, test } from 'vitest'
import { referenceKernels } from '../reference/index.ts'
import { backendName, registerMlcapsuleBackend, tfjsKernelNames } from './index.ts'

const options = { kernels: referenceKernels }
const conflict = expect.objectContaining({ code: 'KERNEL_TFJS_CONFLICT' })

afterEach(() => {
  if (tf.findBackendFactory(backendName) !== null) tf.removeBackend(backendName)
})

describe('registering', () => {
  test('is what makes the backend and its kernels known', async () => {
    expect(tf.findBackendFactory(backendName)).toBeNull()
    await registerMlcapsuleBackend(options)
    const known = tf.getKernelsForBackend(backendName).map(({ kernelName }) => kernelName)
    expect(known.sort()).toEqual(tfjsKernelNames)
    expect(new Set(known).size).toBe(known.length)
  })

  test('twice is refused, and the first one works on', async () => {
    await registerMlcapsuleBackend(options)
    await tf.setBackend(backendName)
    await expect(registerMlcapsuleBackend(options)).rejects.toEqual(conflict)
    expect(Array.from(tf.neg(tf.tensor1d([1, -2])).dataSync())).toEqual([-1, 2])
  })

  test('beside somebody else’s kernel is refused', async () => {
    await registerMlcapsuleBackend(options)
    tf.removeBackend(backendName)
    const ours = tf.getKernel('Relu', backendName)
    tf.unregisterKernel('Relu', backendName)
    tf.registerKernel({ kernelName: 'Relu', backendName, kernelFunc: () => [] })
    await expect(registerMlcapsuleBackend(options)).rejects.toEqual(conflict)
    expect(tf.findBackendFactory(backendName)).toBeNull()
    tf.unregisterKernel('Relu', backendName)
    tf.registerKernel(ours)
    await registerMlcapsuleBackend(options)
    expect(tf.findBackendFactory(backendName)).not.toBeNull()
  })

  test('says at once what is wrong with the kernels', async () => {
    await expect(registerMlcapsuleBackend({ ...options, memorySizeBytes: 0 })).rejects.toMatchObject({
      code: 'KERNEL_OPTION_INVALID',
    })
    expect(tf.findBackendFactory(backendName)).toBeNull()
  })

  test('lets tfjs dispose of the backend and make it again', async () => {
    await registerMlcapsuleBackend(options)
    await tf.setBackend(backendName)
    const x = tf.tensor1d([3])
    tf.engine().reset()
    expect(() => x.dataSync()).toThrow()
    await tf.setBackend(backendName)
    expect(Array.from(tf.square(tf.tensor1d([3])).dataSync())).toEqual([9])
  })
})

test('nothing outside of this folder imports it: who does not use tfjs need not have it', () => {
  const src = join(import.meta.dirname, '..')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('tfjs'),
  )
  expect(files.length).toBeGreaterThan(50)
  const guilty = files.filter((file) => /from '[^']*tfjs/.test(readFileSync(join(src, file), 'utf8')))
  expect(guilty).toEqual([])
})
