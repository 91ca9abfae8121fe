// SPDX-License-Identifier: Apache-2.0
import { addProduct, addTransposedProduct, type Matrix, transposed, zeros } from './matrix.ts'
import { gpt, headWidth, type Parameters } from './network.ts'

/** What a layer gave, and how its gradient goes back: takes dL/d(output), adds to `gradients`, gives dL/d(input). */
export interface Applied {
  readonly output: Matrix
  back(gradient: Matrix): Matrix
}

/** Tensors that are trained, and the sums of their gradients. */
export interface Weights {
  readonly parameters: Parameters
  readonly gradients: Parameters
}

const valuesOf = (tensors: Parameters, name: string): Float32Array => {
  const found = tensors.get(name)
  if (found === undefined) throw new TypeError(`there is no tensor ${name}`)
  return found.values
}

/** A trained tensor, and the sum of its gradients. */
export function tensorOf({ parameters, gradients }: Weights, name: string) {
  return { values: valuesOf(parameters, name), gradient: valuesOf(gradients, name) }
}

/** x · W + b. */
export function dense(weights: Weights, name: string, input: Matrix): Applied {
  const weight = tensorOf(weights, `${name}.weight`)
  const bias = tensorOf(weights, `${name}.bias`)
  const [from, to] = [input.columnCount, bias.values.length]
  const matrix: Matrix = { rowCount: from, columnCount: to, data: weight.values }
  const output = zeros(input.rowCount, to)
  for (let row = 0; row < input.rowCount; row++) output.data.set(bias.values, row * to)
  addProduct(output, input, matrix)
  return {
    output,
    back(gradient) {
      addTransposedProduct({ rowCount: from, columnCount: to, data: weight.gradient }, input, gradient)
      for (const [at, value] of gradient.data.entries()) {
        bias.gradient[at % to] = (bias.gradient[at % to] as number) + value
      }
      const result = zeros(input.rowCount, from)
      addProduct(result, gradient, transposed(matrix))
      return result
    },
  }
}

/** max(x, 0). */
export function relu(input: Matrix): Applied {
  const output = { ...input, data: input.data.map((value) => Math.max(value, 0)) }
  return {
    output,
    back: (gradient) => ({
      ...gradient,
      data: gradient.data.map((value, at) => ((input.data[at] as number) > 0 ? value : 0)),
    }),
  }
}

/** Layer normalization of each row (Ba, Kiros, Hinton, arXiv:1607.06450). */
export function normalize(weights: Weights, name: string, input: Matrix): Applied {
  const scale = tensorOf(weights, `${name}.scale`)
  const bias = tensorOf(weights, `${name}.bias`)
  const { rowCount, columnCount: width } = input
  const standard = zeros(rowCount, width)
  const factors = new Float64Array(rowCount)
  const output = zeros(rowCount, width)
  for (let row = 0; row < rowCount; row++) {
    const from = input.data.subarray(row * width, (row + 1) * width)
    let mean = 0
    for (const value of from) mean += value / width
    let variance = 0
    for (const value of from) variance += (value - mean) ** 2 / width
    const factor = 1 / Math.sqrt(variance + gpt.epsilon)
    factors[row] = factor
    for (let column = 0; column < width; column++) {
      const value = ((from[column] as number) - mean) * factor
      standard.data[row * width + column] = value
      output.data[row * width + column] =
        value * (scale.values[column] as number) + (bias.values[column] as number)
    }
  }
  return {
    output,
    back(gradient) {
      const result = zeros(rowCount, width)
      for (let row = 0; row < rowCount; row++) {
        let [sum, dot] = [0, 0]
        for (let column = 0; column < width; column++) {
          const at = row * width + column
          const [from, value] = [gradient.data[at] as number, standard.data[at] as number]
          scale.gradient[column] = (scale.gradient[column] as number) + from * value
          bias.gradient[column] = (bias.gradient[column] as number) + from
          const scaled = from * (scale.values[column] as number)
          sum += scaled / width
          dot += (scaled * value) / width
        }
        for (let column = 0; column < width; column++) {
          const at = row * width + column
          const scaled = (gradient.data[at] as number) * (scale.values[column] as number)
          result.data[at] = (factors[row] as number) * (scaled - sum - (standard.data[at] as number) * dot)
        }
      }
      return result
    },
  }
}

/** Causal attention of each head over its part of the columns: [length, 3 · width] → [length, width]. */
export function attend(qkv: Matrix): Applied {
  const { rowCount: length, columnCount } = qkv
  const { headCount, width } = gpt
  const scale = 1 / Math.sqrt(headWidth)
  const output = zeros(length, width)
  const probabilities = Array.from({ length: headCount }, () => zeros(length, length))
  const at = (row: number, part: number, head: number) => row * columnCount + part * width + head * headWidth
  const dot = (a: Float32Array, from: number, b: Float32Array, to: number) => {
    let sum = 0
    for (let i = 0; i < headWidth; i++) sum += (a[from + i] as number) * (b[to + i] as number)
    return sum
  }
  const addScaled = (to: Float32Array, start: number, factor: number, from: Float32Array, first: number) => {
    for (let i = 0; i < headWidth; i++) {
      to[start + i] = (to[start + i] as number) + factor * (from[first + i] as number)
    }
  }
  for (const [head, matrix] of probabilities.entries()) {
    for (let row = 0; row < length; row++) {
      const scores = matrix.data.subarray(row * length, row * length + row + 1)
      let highest = Number.NEGATIVE_INFINITY
      for (let other = 0; other <= row; other++) {
        scores[other] = scale * dot(qkv.data, at(row, 0, head), qkv.data, at(other, 1, head))
        highest = Math.max(highest, scores[other] as number)
      }
      let sum = 0
      for (let other = 0; other <= row; other++) {
        scores[other] = Math.exp((scores[other] as number) - highest)
        sum += scores[other] as number
      }
      for (let other = 0; other <= row; other++) {
        scores[other] = (scores[other] as number) / sum
        const to = row * width + head * headWidth
        addScaled(output.data, to, scores[other] as number, qkv.data, at(other, 2, head))
      }
    }
  }
  return {
    output,
    back(gradient) {
      const result = zeros(length, columnCount)
      const slopes = new Float64Array(length)
      for (const [head, matrix] of probabilities.entries()) {
        for (let row = 0; row < length; row++) {
          const from = row * width + head * headWidth
          let mean = 0
          for (let other = 0; other <= row; other++) {
            const probability = matrix.data[row * length + other] as number
            const slope = dot(gradient.data, from, qkv.data, at(other, 2, head))
            slopes[other] = slope
            mean += probability * slope
            addScaled(result.data, at(other, 2, head), probability, gradient.data, from)
          }
          for (let other = 0; other <= row; other++) {
            const probability = matrix.data[row * length + other] as number
            const slope = scale * probability * ((slopes[other] as number) - mean)
            addScaled(result.data, at(row, 0, head), slope, qkv.data, at(other, 1, head))
            addScaled(result.data, at(other, 1, head), slope, qkv.data, at(row, 0, head))
          }
        }
      }
      return result
    },
  }
}

/** a + b. */
export function sum(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, at) => value + (b.data[at] as number)) }
}
