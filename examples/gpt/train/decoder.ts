// SPDX-License-Identifier: Apache-2.0
import { type Applied, attend, dense, normalize, relu, sum, tensorOf, type Weights } from './layers.ts'
import { type Matrix, zeros } from './matrix.ts'
import { gpt } from './network.ts'

/** One block of the decoder: x + attention(norm(x)), then x + up-and-down(norm(x)). */
function block(weights: Weights, name: string, input: Matrix): Applied {
  const norm1 = normalize(weights, `${name}.norm1`, input)
  const qkv = dense(weights, `${name}.qkv`, norm1.output)
  const attention = attend(qkv.output)
  const join = dense(weights, `${name}.join`, attention.output)
  const middle = sum(input, join.output)
  const norm2 = normalize(weights, `${name}.norm2`, middle)
  const up = dense(weights, `${name}.up`, norm2.output)
  const active = relu(up.output)
  const down = dense(weights, `${name}.down`, active.output)
  return {
    output: sum(middle, down.output),
    back(gradient) {
      const toMiddle = sum(gradient, norm2.back(up.back(active.back(down.back(gradient)))))
      return sum(toMiddle, norm1.back(qkv.back(attention.back(join.back(toMiddle)))))
    },
  }
}

/** The decoder up to its logits, [length, vocabulary]. `back` adds to the gradients of all weights. */
export function decode(weights: Weights, ids: Uint16Array): Applied {
  const { width, layerCount } = gpt
  const tokens = tensorOf(weights, 'tokens')
  const positions = tensorOf(weights, 'positions')
  const embedded = zeros(ids.length, width)
  for (const [row, id] of ids.entries()) {
    for (let column = 0; column < width; column++) {
      embedded.data[row * width + column] =
        (tokens.values[id * width + column] as number) + (positions.values[row * width + column] as number)
    }
  }
  const steps: Applied[] = []
  const then = (applied: Applied) => steps[steps.push(applied) - 1] as Applied
  let flow = embedded
  for (let layer = 0; layer < layerCount; layer++) flow = then(block(weights, `layer${layer}`, flow)).output
  flow = then(normalize(weights, 'norm', flow)).output
  const head = then(dense(weights, 'head', flow))
  return {
    output: head.output,
    back(gradient) {
      let back = gradient
      for (const step of steps.toReversed()) back = step.back(back)
      for (const [row, id] of ids.entries()) {
        for (let column = 0; column < width; column++) {
          const value = back.data[row * width + column] as number
          const token = id * width + column
          tokens.gradient[token] = (tokens.gradient[token] as number) + value
          const position = row * width + column
          positions.gradient[position] = (positions.gradient[position] as number) + value
        }
      }
      return back
    },
  }
}

/** Mean cross-entropy of logits in nats, and its gradient. */
export function crossEntropy(logits: Matrix, targets: Uint16Array): { loss: number; gradient: Matrix } {
  const { rowCount, columnCount } = logits
  const gradient = zeros(rowCount, columnCount)
  let loss = 0
  for (let row = 0; row < rowCount; row++) {
    const from = logits.data.subarray(row * columnCount, (row + 1) * columnCount)
    const highest = Math.max(...from)
    let total = 0
    for (const value of from) total += Math.exp(value - highest)
    const target = targets[row] as number
    loss -= ((from[target] as number) - highest - Math.log(total)) / rowCount
    for (let column = 0; column < columnCount; column++) {
      const probability = Math.exp((from[column] as number) - highest) / total
      gradient.data[row * columnCount + column] = (probability - (column === target ? 1 : 0)) / rowCount
    }
  }
  return { loss, gradient }
}
