// SPDX-License-Identifier: Apache-2.0
// Models whose conditions a query gives, against the same models with constants as conditions: there nothing is left of an If.
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryModelSource } from '../src/index.ts'
import {
  buildModel,
  randomFloats,
  type TestAttribute,
  type TestGraph,
  type TestModel,
  type TestNode,
  type TestTensor,
} from '../src/testing/index.ts'
import { runModel } from './run-model.ts'

/** Images [n, 4, 5, 5] all the way, through what passes and layouts treat alike and not alike. */
class Writer {
  readonly constants: Record<string, TestTensor> = {}
  readonly random: () => number
  #count = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  int(count: number): number {
    return Math.floor(this.random() * count)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)] as T
  }

  name(): string {
    return `v${++this.#count}`
  }

  weights(...dims: number[]): string {
    const name = this.name()
    const count = dims.reduce((product, dim) => product * dim, 1)
    this.constants[name] = { dims, data: randomFloats(this.random, count, 0.3) }
    return name
  }

  #ints(...values: number[]): string {
    const name = this.name()
    this.constants[name] = { dims: [values.length], data: BigInt64Array.from(values, BigInt) }
    return name
  }

  /** Adds nodes that make one more image. @returns its name */
  step(nodes: TestNode[], known: readonly string[], depth: number): string {
    const add = (op: string, inputs: readonly string[], attributes: Record<string, TestAttribute> = {}) => {
      const output = this.name()
      nodes.push({ op, inputs, outputs: [output], attributes })
      return output
    }
    const [a, b] = [this.pick(known), this.pick(known)]
    const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }
    switch (this.int(depth < 2 ? 16 : 14)) {
      case 0:
      case 1:
        return add('Conv', [a, this.weights(4, 4, 3, 3), this.weights(4)], window)
      case 2:
        return add('Conv', [a, this.weights(4, 1, 3, 3)], { ...window, group: 4 })
      case 3:
        return add('MaxPool', [a], window)
      case 4:
        return add(this.pick(['Relu', 'Sigmoid', 'Tanh', 'Neg']), [a])
      case 5:
        return add('Mul', [a, add('Sigmoid', [a])])
      case 6:
        return add(this.pick(['Add', 'Max', 'Sub']), [a, b])
      case 7:
        return add('Add', [a, this.weights(...this.pick([[4, 1, 1], [5], [1, 4, 5, 5], [1]]))])
      case 8:
        return add('Conv', [add('Concat', [a, b], { axis: 1 }), this.weights(4, 8, 1, 1)])
      case 9: {
        const turned = add('Transpose', [a], { perm: [0, 2, 3, 1] })
        return add('Transpose', [add('MatMul', [turned, this.weights(4, 4)])], { perm: [0, 3, 1, 2] })
      }
      case 10: {
        const flat = add('Reshape', [a, this.#ints(-1, 100)])
        const joined = add('Softmax', [flat], { axis: -1 })
        return add('Reshape', [joined, this.#ints(-1, 4, 5, 5)])
      }
      case 11:
        return add('Mul', [a, add('GlobalAveragePool', [a])])
      case 12: {
        const parameters = [this.weights(4), this.weights(4), this.weights(4), this.#positive(4)]
        return add('BatchNormalization', [a, ...parameters])
      }
      case 13: {
        const constant = this.weights(1, 4, 5, 5)
        return this.random() < 0.5
          ? add('Softmax', [a], { axis: 1 })
          : add('Add', [add('Exp', [constant]), a])
      }
      default: {
        const graph = (): TestGraph => {
          const inner: TestNode[] = []
          let all = known
          for (let i = this.int(4); i > 0; i--) all = [...all, this.step(inner, all, depth + 1)]
          const own = all.slice(known.length)
          const outputs = [0, 1].map(() => this.pick(own.length > 0 && this.random() < 0.7 ? own : all))
          return { outputs, nodes: inner }
        }
        const outputs = [this.name(), this.name()]
        const attributes = { then_branch: { graph: graph() }, else_branch: { graph: graph() } }
        nodes.push({ op: 'If', inputs: [`mode${this.int(3)}`], outputs, attributes })
        return this.pick(outputs)
      }
    }
  }

  #positive(count: number): string {
    const name = this.name()
    this.constants[name] = {
      dims: [count],
      data: randomFloats(this.random, count, 0.3).map((it) => Math.abs(it) + 0.5),
    }
    return name
  }
}

function randomModel(seed: number): TestModel {
  const writer = new Writer(seed)
  const nodes: TestNode[] = []
  let known: readonly string[] = ['x']
  for (let i = 2 + writer.int(10); i > 0; i--) known = [...known, writer.step(nodes, known, 0)]
  const other = writer.pick(known.slice(1))
  // Outputs of a model have names of their own.
  nodes.push({ op: 'Identity', inputs: [known.at(-1) as string], outputs: ['y'] })
  nodes.push({ op: 'Identity', inputs: [other], outputs: ['z'] })
  return {
    inputs: { x: ['n', 4, 5, 5] },
    outputs: { y: null, z: null },
    constants: writer.constants,
    nodes,
  }
}

const modes = ['mode0', 'mode1', 'mode2']
const bool = (isTrue: boolean): TestTensor => ({ dims: [], data: Uint8Array.of(isTrue ? 1 : 0) })

test('a random model takes the branches that a query names', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      async (seed, chosen) => {
        const model = randomModel(seed)
        const batch = 1 + (Math.abs(seed) % 3)
        const data = randomFloats(seededRandom(seed + 1), batch * 100, 1)
        const x: Tensor = { dtype: 'float32', shape: [batch, 4, 5, 5], data }
        const constant = {
          ...model,
          constants: {
            ...model.constants,
            ...Object.fromEntries(modes.map((it, i) => [it, bool(chosen[i] === true)])),
          },
        }
        const open: TestModel = {
          ...model,
          inputs: { ...model.inputs, mode0: [], mode1: [], mode2: [] },
          inputTypes: { mode0: 'bool', mode1: 'bool', mode2: 'bool' },
        }
        const expected = await runModel(memoryModelSource(buildModel(constant)), [x])
        const given = chosen.map((it): Tensor => ({ dtype: 'bool', shape: [], data: bool(it).data }))
        const actual = await runModel(memoryModelSource(buildModel(open)), [x, ...given], wasmKernels)
        expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
        for (const [i, tensor] of expected.entries()) {
          const own = actual[i]?.data as Float32Array
          for (const [at, value] of (tensor.data as Float32Array).entries()) {
            const difference = Math.abs((own[at] as number) - value)
            if (!(difference <= 1e-4 * (1 + Math.abs(value)))) expect(own[at]).toBe(value)
          }
        }
      },
    ),
    { numRuns: process.env.SLOW === '1' ? 2000 : 60 },
  )
})
