// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { resize } from '../resize.ts'
import { asImage } from './convolution.ts'
import type { Layer, LayerTable } from './layer.ts'

type Edges = readonly [before: number, after: number]

/** What is added or cut off on both sides of each of `count` dimensions: one number, one for each, or two for each. */
function readEdges(layer: Layer, field: string, count: number): readonly Edges[] {
  const given = layer.config.get(field) ?? 1
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  const edges = (value: unknown): Edges => {
    if (isSize(value)) return [value, value]
    if (Array.isArray(value) && value.length === 2 && value.every(isSize)) return value as unknown as Edges
    return layer.invalid(`${field} is not a number for each side`)
  }
  if (count === 1) return [edges(Array.isArray(given) && given.length === 1 ? given[0] : given)]
  if (!Array.isArray(given)) return new Array<Edges>(count).fill(edges(given))
  if (given.length !== count) layer.invalid(`${field} is not for ${count} dimensions`)
  return given.map(edges)
}

const axesOf = (layer: Layer, count: number) =>
  Array.from({ length: count }, (_, i) => i + (count === 2 && layer.format() === 'NCHW' ? 2 : 1))

function zeroPadding(layer: Layer, count: number): Value {
  const edges = readEdges(layer, 'padding', count)
  const pads = [...edges.map(([before]) => before), ...edges.map(([, after]) => after)]
  return layer.call('Pad', [layer.x, layer.integers(pads), null, layer.integers(axesOf(layer, count))])
}

function cropping(layer: Layer, count: number): Value {
  const edges = readEdges(layer, 'cropping', count)
  return layer.call('Slice', [
    layer.x,
    layer.integers(edges.map(([before]) => before)),
    layer.integers(edges.map(([, after]) => (after === 0 ? 2 ** 31 - 1 : -after))),
    layer.integers(axesOf(layer, count)),
  ])
}

/** TensorFlow.js takes the upper left corner of pixels for their place, also between them. */
function upSampling2d(layer: Layer): Value {
  if (layer.format() === 'NCHW') layer.unsupported('channels come first')
  const mode = layer.word('interpolation', ['nearest', 'bilinear'], 'nearest')
  const scales = layer.pair('size', 2)
  return resize(
    layer,
    layer.x,
    { scales },
    { mode: mode === 'nearest' ? 'nearest' : 'linear', coordinates: 'asymmetric' },
  )
}

function upSampling1d(layer: Layer): Value {
  const [size] = layer.sizes('size', 1, 2) as [number]
  return asImage(layer, layer.x, (image) =>
    resize(layer, image, { scales: [1, size] }, { mode: 'nearest', coordinates: 'asymmetric' }),
  )
}

/** Layers that add, cut off or repeat rows and columns. */
export const borderLayers: LayerTable = {
  Cropping1D: (layer) => cropping(layer, 1),
  Cropping2D: (layer) => cropping(layer, 2),
  UpSampling1D: upSampling1d,
  UpSampling2D: upSampling2d,
  ZeroPadding1D: (layer) => zeroPadding(layer, 1),
  ZeroPadding2D: (layer) => zeroPadding(layer, 2),
}
