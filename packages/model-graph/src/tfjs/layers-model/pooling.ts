// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { globalPool2d, pool2d } from '../images.ts'
import { asImage } from './convolution.ts'
import type { Layer, LayerImporter, LayerTable } from './layer.ts'

type PoolKind = 'MaxPool' | 'AveragePool'

const padding = (layer: Layer) => layer.word('padding', ['VALID', 'SAME'], 'VALID')

const pooling2d =
  (kind: PoolKind): LayerImporter =>
  (layer) => {
    const kernel = layer.pair('pool_size', 2)
    const strides = layer.pair('strides', kernel)
    return pool2d(layer, kind, layer.x, kernel, { format: layer.format(), strides, padding: padding(layer) })
  }

const pooling1d =
  (kind: PoolKind): LayerImporter =>
  (layer) => {
    const [size] = layer.sizes('pool_size', 1, 2) as [number]
    const [stride] = layer.sizes('strides', 1, size) as [number]
    const options = { format: 'NHWC', strides: [1, stride], padding: padding(layer) } as const
    return asImage(layer, layer.x, (image) => pool2d(layer, kind, image, [1, size], options))
  }

const globalPooling2d =
  (kind: PoolKind): LayerImporter =>
  (layer) => {
    const format = layer.format()
    const pooled = globalPool2d(layer, `Global${kind}`, layer.x, format)
    if (layer.config.flag('keepdims', false)) return pooled
    return layer.squeeze(pooled, format === 'NHWC' ? [1, 2] : [2, 3])
  }

const globalPooling1d =
  (kind: PoolKind): LayerImporter =>
  (layer): Value => {
    const pooled = asImage(layer, layer.x, (image) => globalPool2d(layer, `Global${kind}`, image, 'NHWC'))
    return layer.config.flag('keepdims', false) ? pooled : layer.squeeze(pooled, [1])
  }

export const poolingLayers: LayerTable = {
  AveragePooling1D: pooling1d('AveragePool'),
  AveragePooling2D: pooling2d('AveragePool'),
  GlobalAveragePooling1D: globalPooling1d('AveragePool'),
  GlobalAveragePooling2D: globalPooling2d('AveragePool'),
  GlobalMaxPooling1D: globalPooling1d('MaxPool'),
  GlobalMaxPooling2D: globalPooling2d('MaxPool'),
  MaxPooling1D: pooling1d('MaxPool'),
  MaxPooling2D: pooling2d('MaxPool'),
}
