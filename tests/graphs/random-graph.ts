// SPDX-License-Identifier: Apache-2.0
import type { FuzzGraph } from './fuzz-graph.ts'
import { functionGenerators } from './generators/functions.ts'
import { indexingGenerators } from './generators/indexing.ts'
import { logicGenerators } from './generators/logic.ts'
import { movementGenerators } from './generators/movement.ts'
import { normalizationGenerators } from './generators/normalization.ts'
import { pairGenerators } from './generators/pairs.ts'
import { productGenerators } from './generators/products.ts'
import { quantizedGenerators } from './generators/quantized.ts'
import { reductionGenerators } from './generators/reductions.ts'
import { windowGenerators } from './generators/windows.ts'
import { type Generator, GraphWriter } from './graph-writer.ts'
import { RandomSource } from './random-source.ts'

export const generators: readonly Generator[] = [
  ...functionGenerators,
  ...pairGenerators,
  ...logicGenerators,
  ...reductionGenerators,
  ...movementGenerators,
  ...indexingGenerators,
  ...productGenerators,
  ...quantizedGenerators,
  ...windowGenerators,
  ...normalizationGenerators,
]

const opsets = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]
const mostNodes = 12
/** Tries to add a node before a graph counts as done: values may be such that few operators take them. */
const triesPerNode = 20

function pickGenerator(random: RandomSource, fitting: readonly Generator[]): Generator {
  const total = fitting.reduce((sum, { weight = 1 }) => sum + weight, 0)
  let at = (random.below(2 ** 24) / 2 ** 24) * total
  for (const generator of fitting) {
    at -= generator.weight ?? 1
    if (at < 0) return generator
  }
  return fitting.at(-1) as Generator
}

/** A graph of 1 to 12 nodes with a query; the same for the same seed. */
export function randomGraph(seed: number): FuzzGraph {
  const random = new RandomSource(seed)
  const writer = new GraphWriter(random, random.pick(opsets))
  const fitting = generators.filter(
    ({ since = 0, until = Number.POSITIVE_INFINITY }) => since <= writer.opset && writer.opset <= until,
  )
  // A graph of few kinds of operators repeats them in ways that one of all kinds never would.
  const kinds = random.chance(0.4) ? random.shuffled(fitting).slice(0, 12) : fitting
  const count = random.between(1, mostNodes)
  for (let tries = 0; writer.nodeCount < count && tries < count * triesPerNode; tries++) {
    pickGenerator(random, kinds).add(writer)
  }
  if (writer.nodeCount === 0) fitting.find(({ op }) => op === 'Relu')?.add(writer)
  return writer.graph()
}
