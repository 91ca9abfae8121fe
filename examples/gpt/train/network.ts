// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { randomFloats } from '@mlcapsule/model-graph/testing'

/** Sizes of the decoder. */
export const gpt = {
  layerCount: 2,
  headCount: 4,
  width: 64,
  hiddenWidth: 256,
  /** Tokens that it can look back on, its own included. */
  contextLength: 256,
  /** Added to the variance by every normalization. */
  epsilon: 1e-5,
} as const

export const headWidth: number = gpt.width / gpt.headCount

/** A trained tensor; matrices are [in, out]. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** All trained tensors by name. */
export type Parameters = ReadonlyMap<string, Parameter>

/** Names and shapes of all trained tensors. */
export function parameterShapes(vocabularySize: number): ReadonlyMap<string, readonly number[]> {
  const { layerCount, width, hiddenWidth, contextLength } = gpt
  const shapes = new Map<string, readonly number[]>([
    ['tokens', [vocabularySize, width]],
    ['positions', [contextLength, width]],
  ])
  const normalization = (name: string) => {
    shapes.set(`${name}.scale`, [width])
    shapes.set(`${name}.bias`, [width])
  }
  const dense = (name: string, from: number, to: number) => {
    shapes.set(`${name}.weight`, [from, to])
    shapes.set(`${name}.bias`, [to])
  }
  for (let layer = 0; layer < layerCount; layer++) {
    normalization(`layer${layer}.norm1`)
    dense(`layer${layer}.qkv`, width, 3 * width)
    dense(`layer${layer}.join`, width, width)
    normalization(`layer${layer}.norm2`)
    dense(`layer${layer}.up`, width, hiddenWidth)
    dense(`layer${layer}.down`, hiddenWidth, width)
  }
  normalization('norm')
  dense('head', width, vocabularySize)
  return shapes
}

const elementCount = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** Fresh weights: uniform with deviation 1/√in for matrices, small for embeddings; scales 1, biases 0. */
export function initialParameters(vocabularySize: number, seed: number): Parameters {
  const random = seededRandom(seed)
  const parameters = new Map<string, Parameter>()
  for (const [name, shape] of parameterShapes(vocabularySize)) {
    const count = elementCount(shape)
    const bound =
      shape.length === 1 ? 0 : name.endsWith('.weight') ? Math.sqrt(3 / (shape[0] as number)) : 0.04
    const values = randomFloats(random, count, bound)
    if (name.endsWith('.scale')) values.fill(1)
    parameters.set(name, { name, shape, values })
  }
  return parameters
}

/** The same tensors, all zeros. */
export function zerosLike(parameters: Parameters): Parameters {
  return new Map(
    [...parameters].map(([name, { shape, values }]) => [
      name,
      { name, shape, values: new Float32Array(values.length) },
    ]),
  )
}
