// SPDX-License-Identifier: Apache-2.0
import type { Program, ProgramStep } from '@mlcapsule/inference-kernels/program'

/** Arithmetic of one query. */
export interface Work {
  /** Multiply-accumulate operations of products, convolutions, recurrent layers and attention. */
  readonly macCount: number
  /** Two for each of those, and one for each element that any other arithmetic step goes through. */
  readonly flopCount: number
  /** Operators whose arithmetic is not counted. */
  readonly uncounted: readonly string[]
}

type Dims = readonly number[]

const product = (dims: Dims) => dims.reduce((count, dim) => count * dim, 1)

/** Operators that move elements, convert them, or ask for dims. */
const moving = new Set(
  `Shape Size Reshape Identity Flatten Squeeze Unsqueeze Transpose Concat Split Slice Expand Tile Pad CenterCropPad Gather
  GatherElements GatherND ScatterElements ScatterND TensorScatter Range EyeLike OneHot NonZero Compress Unique TopK Trilu
  DepthToSpace SpaceToDepth ReverseSequence Dropout Cast CastLike Where Col2Im MaxUnpool`.split(/\s+/),
)

/** Operators with products whose number does not follow from dims alone. */
const uncountable = new Set(['Einsum', 'Det', 'GridSample', 'RoiAlign', 'NonMaxSuppression', 'AffineGrid'])

type OperatorStep = Extract<ProgramStep, { readonly op: 'operator' }>

/** Multiply-accumulate operations of an operator; null for one that has none. */
function operatorMacs(
  { operator, attributes }: OperatorStep,
  inputs: readonly Dims[],
  output: Dims,
): number | null {
  const dims = (index: number): Dims => inputs[index] ?? []
  switch (operator) {
    case 'MatMul':
    case 'MatMulInteger':
    case 'QLinearMatMul':
      return product(output) * (dims(0).at(-1) ?? 1)
    case 'Gemm':
      return product(output) * (dims(0).at(attributes.transA === true ? 0 : 1) ?? 1)
    case 'Conv':
    case 'ConvInteger':
    case 'DeformConv':
      return product(output) * product(dims(1).slice(1))
    case 'QLinearConv':
      return product(output) * product(dims(3).slice(1))
    case 'ConvTranspose':
      return product(dims(0)) * product(dims(1).slice(1))
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return product(dims(0).slice(0, 2)) * (product(dims(1)) + product(dims(2)))
    case 'Attention': {
      const keySteps = dims(1).at(-2) ?? 0
      const pastSteps = dims(4).at(-2) ?? 0
      return (product(dims(0)) + product(output)) * (keySteps + pastSteps)
    }
    default:
      return null
  }
}

function kernelWork(
  step: Exclude<ProgramStep, { readonly op: 'operator' | 'if' }>,
  at: (value: number) => Dims,
) {
  const output = product(at(step.output))
  switch (step.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'quantizedConv2d':
      return { macCount: output * product(at(step.weights).slice(1)), otherCount: 0 }
    case 'dense':
    case 'quantizedDense':
      return { macCount: output * (at(step.weights)[0] ?? 1), otherCount: 0 }
    case 'matmul':
      return { macCount: output * (at(step.a).at(-1) ?? 1), otherCount: 0 }
    case 'pool2d':
    case 'quantizedMaxPool2d':
      return { macCount: 0, otherCount: output * product(step.kernel) }
    case 'unary':
    case 'binary':
    case 'softmax':
    case 'quantize':
    case 'dequantize':
    case 'quantizedAdd':
      return { macCount: 0, otherCount: output }
    default:
      return { macCount: 0, otherCount: 0 }
  }
}

/** The arithmetic of some steps of a program, for concrete dims. */
export function workOf(
  program: Program,
  stepIndices: readonly number[],
  dims: readonly (Dims | undefined)[],
): Work {
  const at = (value: number): Dims => dims[value] ?? []
  const uncounted = new Set<string>()
  let [macs, others] = [0, 0]
  for (const index of stepIndices) {
    const step = program.steps[index] as ProgramStep
    if (step.op === 'if') continue
    if (step.op !== 'operator') {
      const { macCount, otherCount } = kernelWork(step, at)
      macs += macCount
      others += otherCount
      continue
    }
    const inputs = step.inputs.map((it) => {
      if (it === null) return []
      const declared = program.values[it]?.dims ?? []
      return dims[it] ?? declared.map((dim) => (typeof dim === 'number' ? dim : 1))
    })
    const output = at(step.outputs[0] as number)
    const own = operatorMacs(step, inputs, output)
    if (own !== null) macs += own
    else if (uncountable.has(step.operator)) uncounted.add(step.operator)
    else if (!moving.has(step.operator)) others += Math.max(product(inputs[0] ?? []), product(output))
  }
  return { macCount: macs, flopCount: 2 * macs + others, uncounted: [...uncounted] }
}
