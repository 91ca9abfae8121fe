// SPDX-License-Identifier: Apache-2.0
import { borderLayers } from './borders.ts'
import { convolutionLayers } from './convolution.ts'
import { coreLayers } from './core.ts'
import { elementLayers } from './elements.ts'
import type { LayerImporter } from './layer.ts'
import { mergeLayers } from './merge.ts'
import { poolingLayers } from './pooling.ts'
import { recurrentLayers } from './recurrent.ts'
import { timeDistributed } from './time-distributed.ts'

/** Every layer of Keras that is supported, besides InputLayer and models within models. */
export const kerasLayers: ReadonlyMap<string, LayerImporter> = new Map(
  Object.entries({
    ...borderLayers,
    ...convolutionLayers,
    ...coreLayers,
    ...elementLayers,
    ...mergeLayers,
    ...poolingLayers,
    ...recurrentLayers,
    TimeDistributed: timeDistributed,
  }).sort(([a], [b]) => (a < b ? -1 : 1)),
)
