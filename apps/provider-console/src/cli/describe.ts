// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import type { TensorSpec } from '@mlcapsule/contracts'
import { toBase64Url } from '@mlcapsule/crypto'
import type { CompiledModel } from '@mlcapsule/model-graph'
import { formatBytes, formatCount, printable } from '@mlcapsule/terminal'

export type Pairs = readonly (readonly [name: string, value: string])[]

/** A name beside several values, a line for each. */
export const listed = (name: string, values: readonly string[]): Pairs =>
  values.map((value, i) => [i === 0 ? name : '', value] as const)

export function describeTensor({ name, dtype, shape }: TensorSpec): string {
  return `${printable(name)}  ${dtype} [${shape.map((it) => (typeof it === 'string' ? printable(it) : it)).join(', ')}]`
}

const describeTensors = (specs: readonly TensorSpec[]) => specs.map(describeTensor).join('; ')

export function describePreprocessing({ preprocessing }: CapsuleHeader): string {
  if (preprocessing === null) return 'none'
  const { crop, colorOrder, layout } = preprocessing
  const size = crop === null ? '' : `${crop.width} × ${crop.height}, `
  return `image, ${size}${colorOrder}, ${layout}`
}

/** What anyone may see of a capsule. All of it comes from a file, and so is made printable. */
export function headerPairs(header: CapsuleHeader, sizeBytes: number): Pairs {
  const pageCount = header.blobs.program.pageCount + header.blobs.weights.pageCount
  return [
    ['model', `${printable(header.modelName)}, version ${header.modelVersion}`],
    ['model id', printable(header.modelId)],
    ['capsule id', toBase64Url(header.capsuleId)],
    ['inputs', describeTensors(header.inputs)],
    ['outputs', describeTensors(header.outputs)],
    ['preprocessing', describePreprocessing(header)],
    ['labels', header.labels === null ? 'none' : formatCount(header.labels.length)],
    ['minimum tier', header.minimumTier],
    ['size', `${formatBytes(sizeBytes)} in ${formatCount(pageCount)} pages`],
    ['publisher', header.publisher.thumbprint],
    ['authority', header.authority.join(', ')],
    ...(header.keyReleaseUrl === null ? [] : [['key release', printable(header.keyReleaseUrl)] as const]),
  ]
}

/** What the model compiler found. Never part of a capsule's public side: it shows the architecture. */
export function summaryPairs({ summary, weights }: CompiledModel): Pairs {
  return [
    ['nodes', `${formatCount(summary.nodeCount)}, in ${formatCount(summary.stepCount)} steps`],
    ['parameters', formatCount(summary.parameterCount)],
    ['multiply-adds', formatCount(summary.macCount)],
    ['weights', formatBytes(weights.sizeBytes)],
    ['arena', `${summary.isArenaComplete ? '' : 'at least '}${formatBytes(summary.arenaSizeBytes)}`],
    ...listed(
      'states',
      summary.states.map(({ input, output }) => `${printable(input)} = ${printable(output)}`),
    ),
  ]
}
