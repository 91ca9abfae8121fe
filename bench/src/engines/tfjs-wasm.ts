// SPDX-License-Identifier: Apache-2.0
import type { Activation, Layer, Network, Weights } from '../networks/network.ts'
import type { Engine, LoadedEngine } from './engine.ts'
import { loadPeer, peerFile } from './peer-modules.ts'

/** A tensor of tfjs, whose types may be absent here. */
interface PeerTensor {
  readonly shape: readonly number[]
  dataSync(): Float32Array
  dispose(): void
}
type Op = (...args: readonly unknown[]) => PeerTensor
interface Tfjs {
  tensor(data: Float32Array, dims: readonly number[]): PeerTensor
  tidy<Result>(work: () => Result): Result
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  readonly fused: { readonly conv2d: Op; readonly depthwiseConv2d: Op; readonly matMul: Op }
  readonly [op: string]: unknown
}
interface TfjsWasm {
  setWasmPaths(folder: string): void
}

type Values = Map<string, PeerTensor>

/** [a, b, c, d] read as [d0, d1, d2, d3] of a permutation. */
function permuted({ dims, data }: Weights, perm: readonly number[]): Weights {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1))
  const newDims = perm.map((axis) => dims[axis] as number)
  const steps = perm.map((axis) => strides[axis] as number)
  const result = new Float32Array(data.length)
  const [, d1 = 1, d2 = 1, d3 = 1] = newDims
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = steps
  for (let i = 0; i < result.length; i++) {
    const at =
      s0 * Math.floor(i / (d1 * d2 * d3)) +
      s1 * (Math.floor(i / (d2 * d3)) % d1) +
      s2 * (Math.floor(i / d3) % d2) +
      s3 * (i % d3)
    result[i] = data[at] as number
  }
  return { dims: newDims, data: result }
}

/** A step of a network as a call of tfjs, in the form that a converted graph model runs: fused operations, NHWC. */
class TfjsForm {
  readonly #tf: Tfjs
  readonly #constants: PeerTensor[] = []

  constructor(tf: Tfjs) {
    this.#tf = tf
  }

  dispose(): void {
    for (const constant of this.#constants) constant.dispose()
  }

  step(layer: Layer): (values: Values) => PeerTensor {
    const tf = this.#tf
    const call = (name: string, ...args: readonly unknown[]) => (tf[name] as Op)(...args)
    const of = (values: Values, name: string) => values.get(name) as PeerTensor
    switch (layer.op) {
      case 'conv': {
        const depthwise = layer.groups > 1
        const filter = this.#constant(permuted(layer.weights, depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]))
        const bias = this.#constant(layer.bias)
        const run = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d
        const { stride: strides, pad } = layer
        return (values) =>
          run({ x: of(values, layer.input), filter, strides, pad, bias, ...activationOf(layer.activation) })
      }
      case 'maxPool':
        return (values) => call('maxPool', of(values, layer.input), layer.kernel, layer.stride, layer.pad)
      case 'globalAverage':
        return (values) => call('mean', of(values, layer.input), [1, 2])
      case 'flatten':
        // Weights after it expect channels outermost.
        return (values) => call('reshape', call('transpose', of(values, layer.input), [0, 3, 1, 2]), [1, -1])
      case 'add':
        return (values) => {
          const sum = call('add', of(values, layer.a), of(values, layer.b))
          return layer.activation === 'none' ? sum : call(layer.activation, sum)
        }
      case 'dense': {
        const [b, bias] = [this.#constant(layer.weights), this.#constant(layer.bias)]
        if (layer.activation !== 'gelu') {
          const activation = activationOf(layer.activation)
          return (values) => tf.fused.matMul({ a: of(values, layer.input), b, bias, ...activation })
        }
        return (values) => {
          const x = tf.fused.matMul({ a: of(values, layer.input), b, bias })
          const share = call('add', call('erf', call('mul', x, Math.SQRT1_2)), 1)
          return call('mul', call('mul', x, 0.5), share)
        }
      }
      case 'softmax':
        return (values) => call('softmax', of(values, layer.input))
      case 'layerNorm': {
        const [scale, bias] = [this.#constant(layer.scale), this.#constant(layer.bias)]
        return (values) => {
          const x = of(values, layer.input)
          const centered = call('sub', x, call('mean', x, -1, true))
          const variance = call('mean', call('square', centered), -1, true)
          const normed = call('mul', centered, call('rsqrt', call('add', variance, 1e-5)))
          return call('add', call('mul', normed, scale), bias)
        }
      }
      case 'attention': {
        const { headCount, sequence, headWidth } = layer
        const heads = (values: Values, name: string) =>
          call('transpose', call('reshape', of(values, name), [sequence, headCount, headWidth]), [1, 0, 2])
        return (values) => {
          const scores = call('matMul', heads(values, layer.query), heads(values, layer.key), false, true)
          const weights = call('softmax', call('mul', scores, headWidth ** -0.5))
          const mixed = call('matMul', weights, heads(values, layer.value))
          return call('reshape', call('transpose', mixed, [1, 0, 2]), [sequence, headCount * headWidth])
        }
      }
    }
  }

  #constant({ dims, data }: Weights): PeerTensor {
    const constant = this.#tf.tensor(data, dims)
    this.#constants.push(constant)
    return constant
  }
}

const activationOf = (activation: Activation) => (activation === 'none' ? {} : { activation })

async function start(): Promise<Tfjs> {
  const tf = await loadPeer<Tfjs>('@tensorflow/tfjs-core')
  const backend = await loadPeer<TfjsWasm>('@tensorflow/tfjs-backend-wasm')
  backend.setWasmPaths(`${peerFile('@tensorflow/tfjs-backend-wasm/dist')}/`)
  await tf.setBackend('wasm')
  await tf.ready()
  return tf
}

async function load(network: Network): Promise<LoadedEngine> {
  const tf = await start()
  const form = new TfjsForm(tf)
  const steps = network.layers.map((layer) => ({ output: layer.output, act: form.step(layer) }))
  const [batch = 1, channels = 1, height = 1, width = 1] = network.inputDims
  const isImage = network.inputDims.length === 4
  const inputDims = isImage ? [batch, height, width, channels] : network.inputDims
  return {
    arrange: (data) => (isImage ? permuted({ dims: network.inputDims, data }, [0, 2, 3, 1]).data : data),
    run: (data) =>
      tf.tidy(() => {
        const values: Values = new Map([['input', tf.tensor(data, inputDims)]])
        for (const { output, act } of steps) values.set(output, act(values))
        return (values.get(network.output) as PeerTensor).dataSync()
      }),
    memorySizeBytes: null,
    close: () => form.dispose(),
  }
}

/** Operations called one by one, as its graph executor does. Its threads are switched off in Node by tfjs itself. */
export const tfjsWasm: Engine = {
  name: 'tfjs-backend-wasm',
  maxThreadCount: 1,
  load: (network) => load(network),
}
