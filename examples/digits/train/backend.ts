// SPDX-License-Identifier: Apache-2.0
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { installFilterGradient } from './filter-gradient.ts'

/** Makes TensorFlow.js' plain CPU backend ready, with its own kernels and gradients. */
export async function startBackend(): Promise<void> {
  // Silences the advice to install the native TensorFlow binding, which this example does not need.
  tf.env().set('IS_NODE', false)
  await tf.setBackend('cpu')
  await tf.ready()
}

/** Makes TensorFlow.js ready to train, with our faster gradient. Call before any other use of it. */
export async function prepareBackend(): Promise<void> {
  await startBackend()
  installFilterGradient()
}
