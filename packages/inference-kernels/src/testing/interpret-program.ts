// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes, type Tensor, type TensorData, viewTensorData } from '@mlcapsule/contracts'
import { operatorOf } from '../operators/registry.ts'
import type { Program, ProgramStep, ProgramValue } from '../program/types.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

const product = (dims: readonly number[]) => dims.reduce((count, dim) => count * dim, 1)

function newData(dtype: Tensor['dtype'], count: number): TensorData {
  return viewTensorData(dtype, new ArrayBuffer(count * elementSizeBytes(dtype)), 0, count)
}

/**
 * Runs the steps that `randomDynamicProgram` makes in the plainest way: each value is a tensor of its own, nothing is planned,
 * shared or known beforehand. What sessions give is held against it.
 */
export function interpretProgram(
  program: Program,
  inputs: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const tensors = new Map<number, Tensor>()
  const symbols = new Map<number, number>()
  const at = (value: number): Tensor => {
    const known = tensors.get(value)
    if (known !== undefined) return known
    const { storage, dims } = program.values[value] as ProgramValue
    if (storage.kind !== 'alias') throw new TypeError(`value ${value} was never written`)
    const shape = dims.map((dim) => (typeof dim === 'number' ? dim : (symbols.get(dim?.symbol ?? -1) ?? 0)))
    return { ...at(storage.of), shape }
  }
  const floats = (value: number) => at(value).data as Float32Array
  const put = (value: number, shape: readonly number[], data: TensorData) =>
    tensors.set(value, { dtype: (program.values[value] as ProgramValue).dtype, shape, data })

  const operator = (step: StepOf<'operator'>) => {
    const definition = operatorOf(step.operator)
    if (definition === undefined) throw new TypeError(`no operator ${step.operator}`)
    const operands = step.inputs.map((it) => {
      if (it === null) return null
      const { dtype, shape, data } = at(it)
      return { dtype, dims: shape, data }
    })
    const attributes = step.attributes as never
    const types = definition.infer({ inputs: operands, attributes, outputCount: step.outputs.length })
    const outputs = step.outputs.map((_, i) => {
      const { dtype, dims } = types[i] as { dtype: Tensor['dtype']; dims: readonly number[] }
      return { dtype, dims, data: newData(dtype, product(dims)) }
    })
    if (definition.isAlias) outputs[0]?.data.set(operands[0]?.data as never)
    else definition.run({ inputs: operands, attributes, outputs })
    for (const [i, { dims, data }] of outputs.entries()) put(step.outputs[i] as number, dims, data)
  }

  const kernel = (step: ProgramStep) => {
    switch (step.op) {
      case 'unary': {
        const { shape } = at(step.input)
        const apply = (x: number) =>
          step.unary === 'relu' ? Math.max(0, x) : step.unary === 'neg' ? -x : Math.abs(x)
        put(step.output, shape, floats(step.input).map(apply))
        break
      }
      case 'binary': {
        const other = floats(step.b)
        const apply = (x: number, i: number) =>
          step.binary === 'add' ? x + (other[i] as number) : Math.max(x, other[i] as number)
        put(step.output, at(step.a).shape, floats(step.a).map(apply))
        break
      }
      case 'transpose': {
        const [rows, columns] = at(step.input).shape as [number, number]
        const data = floats(step.input)
        const turned = data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number)
        put(step.output, [columns, rows], turned)
        break
      }
      case 'concat': {
        const parts = step.inputs.map(at)
        const shape = [parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0), parts[0]?.shape[1] ?? 0]
        put(step.output, shape, Float32Array.from(parts.flatMap(({ data }) => [...(data as Float32Array)])))
        break
      }
      default:
        throw new TypeError(`no ${step.op} here`)
    }
  }

  const run = (first: number, end: number) => {
    for (let s = first; s < end; s++) {
      const step = program.steps[s] as ProgramStep
      if (step.op === 'operator') operator(step)
      else if (step.op !== 'if') kernel(step)
      else {
        const elseStart = s + 1 + step.thenStepCount
        const branchesEnd = elseStart + step.elseStepCount
        const isThen = Number(at(step.condition).data[0]) !== 0
        if (isThen) run(s + 1, elseStart)
        else run(elseStart, branchesEnd)
        const given = (isThen ? step.thenOutputs : step.elseOutputs).map(at)
        for (const [i, output] of step.outputs.entries()) tensors.set(output, given[i] as Tensor)
        s = branchesEnd - 1
      }
    }
  }

  for (const { name, value } of program.inputs) {
    const tensor = inputs.get(name) as Tensor
    for (const [d, dim] of (program.values[value] as ProgramValue).dims.entries()) {
      if (typeof dim === 'object' && dim !== null) symbols.set(dim.symbol, tensor.shape[d] as number)
    }
    tensors.set(value, tensor)
  }
  run(0, program.steps.length)
  return new Map(program.outputs.map(({ name, value }) => [name, at(value)]))
}
