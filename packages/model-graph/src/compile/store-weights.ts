// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { type ConstantTensor, inlineConstant } from '../graph/constant.ts'
import type { GraphNode, Value } from '../graph/graph.ts'
import { isDepthwise } from '../passes/depthwise.ts'
import { type Pieces, packConvolution, packDense, panelCount, panelWidth } from './packing.ts'

/** How weights of dense layers and convolutions are kept; all else is kept as it is. */
export type WeightsStorage = 'f32' | 'f16' | 'int8'

/** Weights that are kept smaller. int8 ones count multiples of a scale for each output column. */
export interface StoredWeights {
  readonly dtype: 'float16' | 'int8'
  readonly scales: ConstantTensor | null
}

/** What became of the weights of dense layers and convolutions. */
export interface WeightsSummary {
  readonly storage: WeightsStorage
  /** Tensors kept as `storage` says. */
  readonly tensorCount: number
  /** Nodes whose weights stay float32: they have numbers that the smaller type cannot hold. */
  readonly keptFloat32: readonly string[]
}

/** How to keep which constant, and a word about it. */
export interface StoragePlan {
  readonly stored: ReadonlyMap<ConstantTensor, StoredWeights>
  readonly summary: WeightsSummary
}

/** Everything stays as it is. */
export const float32Storage: StoragePlan = {
  stored: new Map(),
  summary: { storage: 'f32', tensorCount: 0, keptFloat32: [] },
}

interface Product {
  readonly constant: ConstantTensor
  readonly groups: number
  readonly columnCount: number
  readonly innerCount: number
  pieces(): Pieces
}

const largestFloat16 = 65504
const product = (dims: readonly number[]) => dims.reduce((count, dim) => count * dim, 1)

/** The weights of a node that may be kept smaller. Depthwise filters are few, and stay. */
function productOf(node: GraphNode): Product | null {
  const constant = (node.inputs[1] as Value | null | undefined)?.constant
  if (constant == null || constant.dtype !== 'float32') return null
  if (node.op === 'dense') {
    const [innerCount = 1, columnCount = 1] = constant.dims
    return { constant, groups: 1, columnCount, innerCount, pieces: () => packDense(constant) }
  }
  if (node.op !== 'conv2d' || (isDepthwise(node) && node.inputs[3] == null)) return null
  const { groups } = node.attributes
  const [outChannels = 1, ...rest] = constant.dims
  return {
    constant,
    groups,
    columnCount: outChannels / groups,
    innerCount: product(rest),
    pieces: () => packConvolution(constant, groups),
  }
}

/** The largest magnitude in each column, in the order of output channels; NaN where a column has one. */
async function columnMaxima({
  groups,
  columnCount,
  innerCount,
  pieces,
}: Product): Promise<Float32Array<ArrayBuffer>> {
  const panels = panelCount(columnCount)
  const padded = new Float32Array(groups * panels * panelWidth)
  let at = 0
  for await (const piece of pieces()) {
    for (const value of piece) {
      const column = Math.floor(at / panelWidth / innerCount) * panelWidth + (at % panelWidth)
      // Math.max keeps a NaN.
      padded[column] = Math.max(padded[column] as number, Math.abs(value))
      at++
    }
  }
  const width = panels * panelWidth
  return Float32Array.from(
    { length: groups * columnCount },
    (_, i) => padded[Math.floor(i / columnCount) * width + (i % columnCount)] as number,
  )
}

async function storedWeights(
  it: Product,
  storage: Exclude<WeightsStorage, 'f32'>,
): Promise<StoredWeights | null> {
  const maxima = await columnMaxima(it)
  if (storage === 'f16') {
    return maxima.every((max) => max <= largestFloat16) ? { dtype: 'float16', scales: null } : null
  }
  if (!maxima.every((max) => Number.isFinite(max))) return null
  const scales = maxima.map((max) => max / 127)
  return { dtype: 'int8', scales: inlineConstant('float32', [scales.length], scales) }
}

function nodesOf(nodes: readonly GraphNode[]): readonly GraphNode[] {
  return nodes.flatMap((node) =>
    node.op === 'if' ? node.attributes.branches.flatMap((branch) => nodesOf(branch.nodes)) : [node],
  )
}

/** Decides how the weights of a graph are kept. Reads them once if they are to be smaller. */
export async function planStorage(
  nodes: readonly GraphNode[],
  storage: WeightsStorage,
): Promise<StoragePlan> {
  if (storage === 'f32') return float32Storage
  const stored = new Map<ConstantTensor, StoredWeights>()
  const kept = new Map<ConstantTensor, string>()
  for (const node of nodesOf(nodes)) {
    const found = productOf(node)
    if (found === null || stored.has(found.constant) || kept.has(found.constant)) continue
    const weights = await storedWeights(found, storage)
    if (weights === null) kept.set(found.constant, node.origin)
    else stored.set(found.constant, weights)
  }
  return { stored, summary: { storage, tensorCount: stored.size, keptFloat32: [...kept.values()] } }
}

/** The nearest whole number, the even one of two. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

/** Panels of floats as they are kept. `innerCount` and `columnCount` are those of one group. */
export async function* storePieces(
  pieces: Pieces,
  { dtype, scales }: StoredWeights,
  { innerCount, columnCount }: { readonly innerCount: number; readonly columnCount: number },
): AsyncIterable<Uint16Array | Int8Array> {
  const panels = panelCount(columnCount)
  const factors = (await scales?.read(0, scales.dims[0] ?? 0)) as Float32Array | undefined
  let at = 0
  for await (const piece of pieces) {
    if (dtype === 'float16') {
      const halves = new Uint16Array(piece.length)
      convertElements(piece as TensorData, 'float32', halves, 'float16')
      yield halves
      continue
    }
    const bytes = new Int8Array(piece.length)
    for (let i = 0; i < piece.length; i++, at++) {
      const panel = Math.floor(at / panelWidth / innerCount)
      const column = (panel % panels) * panelWidth + (at % panelWidth)
      const scale = column < columnCount ? factors?.[Math.floor(panel / panels) * columnCount + column] : 0
      bytes[i] = scale ? Math.min(127, Math.max(-127, roundHalfToEven((piece[i] as number) / scale))) : 0
    }
    yield bytes
  }
}
