// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import type { TensorSpec } from '@mlcapsule/contracts'
import { toBase64Url } from '@mlcapsule/crypto'
import type { CompiledModel } from '@mlcapsule/model-graph'
import { formatBytes, formatCount, printable } from '@mlcapsule/terminal'
import type { Accuracy } from '../pack/accuracy.ts'

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

function describeStorage({ weights: { storage, tensorCount } }: CompiledModel['summary']): string {
  return storage === 'f32' ? '' : `, ${formatCount(tensorCount)} tensors as ${storage}`
}

const percent = (part: number) => `${(part * 100).toPrecision(2)} %`

/** How a model with smaller weights answers, beside the same model with float32 ones. */
export function accuracyPairs(accuracy: Accuracy | null): Pairs {
  if (accuracy === null) return [['accuracy', 'not measured: the model takes no random inputs']]
  const { sampleCount, isRandom, largestDifference, rmsDifference, top1 } = accuracy
  const inputs = `${formatCount(sampleCount)} ${isRandom ? 'random inputs' : 'inputs of the file'}`
  const largest = percent(largestDifference)
  return [
    ['accuracy', `beside float32 weights, on ${inputs}`],
    ['difference', `largest ${largest}, RMS ${percent(rmsDifference)}, of the outputs' RMS`],
    ...(top1 === null
      ? []
      : [['top-1', `agrees in ${formatCount(top1.agreeingCount)} of ${formatCount(top1.count)}`] as const]),
  ]
}

/** What the model compiler found. Never part of a capsule's public side: it shows the architecture. */
export function summaryPairs({ summary, weights }: CompiledModel): Pairs {
  return [
    ['nodes', `${formatCount(summary.nodeCount)}, in ${formatCount(summary.stepCount)} steps`],
    ['parameters', formatCount(summary.parameterCount)],
    ['multiply-adds', formatCount(summary.macCount)],
    ['weights', `${formatBytes(weights.sizeBytes)}${describeStorage(summary)}`],
    ...listed('stay float32', summary.weights.keptFloat32.map(printable)),
    ['arena', `${summary.isArenaComplete ? '' : 'at least '}${formatBytes(summary.arenaSizeBytes)}`],
    ...listed(
      'states',
      summary.states.map(({ input, output }) => `${printable(input)} = ${printable(output)}`),
    ),
  ]
}
