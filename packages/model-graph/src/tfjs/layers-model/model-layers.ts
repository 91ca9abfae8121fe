// SPDX-License-Identifier: Apache-2.0
import { Fields } from '../fields.ts'

/** Classes that are models: a chain of layers, or a graph of them. */
export function isModel(layer: Fields): boolean {
  return isChain(layer) || ['Model', 'Functional'].includes(layer.string('class_name'))
}

export function isChain(layer: Fields): boolean {
  return layer.string('class_name') === 'Sequential'
}

/** Layers of a model; old files have the list of a chain for its whole configuration. */
export function layersOf(model: Fields): readonly Fields[] {
  const config = model.get('config')
  return Array.isArray(config)
    ? config.map((it, i) => new Fields(it, `layer ${i} of ${model.where}`))
    : model.object('config').objects('layers')
}

export const layerName = (layer: Fields): string =>
  layer.has('name') ? layer.string('name') : layer.object('config').string('name', '')
