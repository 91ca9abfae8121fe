// SPDX-License-Identifier: Apache-2.0
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx, memoryModelSource } from '../src/index.ts'
import {
  buildModel,
  randomFloats,
  type TestModel,
  type TestNode,
  type TestTensor,
  tinyModel,
} from '../src/testing/index.ts'
import { difference, runCompiled, runModel } from './run-model.ts'

interface Image {
  readonly name: string
  readonly dims: readonly [channels: number, height: number, width: number]
}

/** A random network of the operators that passes look at. */
class RandomNetwork {
  readonly nodes: TestNode[] = []
  readonly constants: Record<string, TestTensor> = {}
  readonly #random: () => number
  readonly #images: Image[]

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#images = [{ name: 'x', dims: [this.#below(4) + 1, 6 + this.#below(4), 6 + this.#below(4)] }]
  }

  get input(): Image {
    return this.#images[0] as Image
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T
  }

  #constant(dims: readonly number[], low = -1, high = 1): string {
    const name = `c${Object.keys(this.constants).length}`
    const count = dims.reduce((product, dim) => product * dim, 1)
    const data = randomFloats(this.#random, count).map((it) => low + ((it + 1) / 2) * (high - low))
    this.constants[name] = { dims, data }
    return name
  }

  #add(op: string, inputs: readonly string[], attributes: TestNode['attributes'] = {}): string {
    const name = `v${this.nodes.length}`
    this.nodes.push({ op, inputs, outputs: [name], attributes })
    return name
  }

  #keep(name: string, dims: Image['dims']): void {
    this.#images.push({ name, dims })
  }

  #convolution({ name, dims: [c, h, w] }: Image): void {
    const depthwise = this.#random() < 0.3
    const group = depthwise ? c : this.#pick([1, 2, 4].filter((it) => c % it === 0))
    const out = depthwise ? c : group * (1 + this.#below(5))
    const size = this.#pick([1, 3])
    const strides = [1 + this.#below(2), 1 + this.#below(2)]
    const pad = this.#below((size + 1) / 2)
    const bias = this.#random() < 0.5 ? [this.#constant([out])] : []
    const outSize = (n: number, axis: number) =>
      Math.floor((n + 2 * pad - size) / (strides[axis] as number)) + 1
    const dims = [out, outSize(h, 0), outSize(w, 1)] as const
    if (dims[1] < 1 || dims[2] < 1) return
    const weights = this.#constant([out, c / group, size, size])
    this.#keep(
      this.#add('Conv', [name, weights, ...bias], { group, strides, pads: [pad, pad, pad, pad] }),
      dims,
    )
  }

  step(): void {
    // Later values are more likely, so that chains form for passes to fuse.
    const image = this.#random() < 0.7 ? (this.#images.at(-1) as Image) : this.#pick(this.#images)
    const { name, dims } = image
    const [c, h, w] = dims
    const kind = this.#below(9)
    if (kind <= 1) this.#convolution(image)
    else if (kind === 2) {
      const parameters = [0, 1, 2].map(() => this.#constant([c]))
      this.#keep(this.#add('BatchNormalization', [name, ...parameters, this.#constant([c], 0.5, 2)]), dims)
    } else if (kind === 3) {
      const op = this.#pick(['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'HardSwish', 'Neg'])
      this.#keep(this.#add(op, [name]), dims)
    } else if (kind === 4) {
      const same = this.#images.filter((it) => it.dims.join() === dims.join())
      this.#keep(this.#add('Add', [name, this.#pick(same).name]), dims)
    } else if (kind === 5) {
      const shape = this.#pick([[c, 1, 1], [1, c, 1, 1], [], [h, w], [c, h, w]])
      this.#keep(
        this.#add(this.#pick(['Add', 'Mul', 'Sub', 'Div']), [name, this.#constant(shape, 0.5, 1.5)]),
        dims,
      )
    } else if (kind === 6) {
      const same = this.#images.filter((it) => it.dims.slice(1).join() === dims.slice(1).join())
      const other = this.#pick(same)
      this.#keep(this.#add('Concat', [name, other.name], { axis: 1 }), [c + other.dims[0], h, w])
    } else if (kind === 7 && h > 3 && w > 3) {
      const op = this.#pick(['MaxPool', 'AveragePool'])
      const pooled = this.#add(op, [name], { kernel_shape: [2, 3], strides: [2, 1], pads: [0, 1, 1, 1] })
      this.#keep(pooled, [c, Math.floor((h - 1) / 2) + 1, w])
    } else if (kind === 8) {
      this.#keep(this.#add('Transpose', [name], { perm: [0, 1, 3, 2] }), [c, w, h])
    }
  }

  finish(): void {
    const { name, dims } = this.#images.at(-1) as Image
    const flat = this.#add('Flatten', [name])
    const count = dims[0] * dims[1] * dims[2]
    const dense = this.#add('MatMul', [flat, this.#constant([count, 5])])
    this.#add('Softmax', [this.#add('Add', [dense, this.#constant([5])])])
  }

  /** With every value as an output nothing can be fused: the model is computed as it is written. */
  model(allOutputs: boolean): TestModel {
    const names = this.nodes.flatMap((it) => it.outputs)
    const outputs = allOutputs ? names : names.slice(-1)
    return {
      inputs: { x: [1, ...this.input.dims] },
      outputs: Object.fromEntries(outputs.map((it) => [it, null])),
      constants: this.constants,
      nodes: this.nodes,
    }
  }
}

const input = (shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: randomFloats(
    seededRandom(99),
    shape.reduce((a, b) => a * b, 1),
  ),
})

describe('passes do not change what a model computes', () => {
  test('random networks, whole and with every value as an output', async () => {
    let fusedCount = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 14 }), async (seed, stepCount) => {
        const network = new RandomNetwork(seed)
        for (let i = 0; i < stepCount; i++) network.step()
        network.finish()
        const x = input([1, ...network.input.dims])
        const plain = await compileGraph(await importOnnx(memoryModelSource(buildModel(network.model(true)))))
        const fused = await compileGraph(
          await importOnnx(memoryModelSource(buildModel(network.model(false)))),
        )
        if (fused.summary.stepCount < plain.summary.stepCount) fusedCount++
        const expected = (await runCompiled(plain, [x])).at(-1) as Tensor
        const [actual] = await runCompiled(fused, [x])
        expect(difference(actual as Tensor, expected, { relative: 1e-3, absolute: 1e-5 })).toBeNull()
      }),
      { numRuns: process.env.SLOW === '1' ? 3000 : 80 },
    )
    // The comparison is worth something only if passes did change the programs.
    expect(fusedCount).toBeGreaterThan(20)
  })

  test.each(['mlp', 'cnn'] as const)('a batch of a tiny %s gives what its rows give alone', async (kind) => {
    const source = memoryModelSource(tinyModel({ kind, batch: 'n', seed: 5 }))
    const rest = kind === 'mlp' ? [16] : [1, 8, 8]
    const batch = input([3, ...rest])
    const [all] = await runModel(source, [batch])
    expect(all?.shape).toEqual([3, 10])
    for (let row = 0; row < 3; row++) {
      const size = batch.data.length / 3
      const data = (batch.data as Float32Array).slice(row * size, (row + 1) * size)
      const [one] = await runModel(source, [{ dtype: 'float32', shape: [1, ...rest], data }])
      const expected = {
        ...(all as Tensor),
        shape: [1, 10],
        data: (all as Tensor).data.slice(row * 10, row * 10 + 10),
      }
      expect(difference(one as Tensor, expected, { relative: 1e-6, absolute: 1e-7 })).toBeNull()
    }
  })

  test('what depends on constants alone is computed at compile time', async () => {
    const w = { dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }
    const model = buildModel({
      inputs: { x: [1, 3] },
      outputs: { y: null, k: null },
      constants: { w },
      nodes: [
        { op: 'Exp', inputs: ['w'], outputs: ['e'] },
        { op: 'Transpose', inputs: ['e'], outputs: ['t'] },
        { op: 'MatMul', inputs: ['x', 't'], outputs: ['y'] },
        { op: 'Neg', inputs: ['w'], outputs: ['k'] },
      ],
    })
    const compiled = await compileGraph(await importOnnx(memoryModelSource(model)))
    // A dense layer, and the copy of the constant output.
    expect(compiled.summary.stepCount).toBe(2)
    const x: Tensor = { dtype: 'float32', shape: [1, 3], data: Float32Array.of(1, 0, 2) }
    const [y, k] = await runCompiled(compiled, [x])
    for (const [i, value] of [Math.E + 2 * Math.exp(3), Math.exp(4) + 2 * Math.exp(6)].entries()) {
      expect((y?.data[i] as number) / value).toBeCloseTo(1, 5)
    }
    expect([...(k?.data ?? [])]).toEqual([-1, -2, -3, -4, -5, -6])
  })
})
