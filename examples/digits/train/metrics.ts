// SPDX-License-Identifier: Apache-2.0

/** What is measured of the published model; `model/metrics.json` holds it. */
export interface Metrics {
  /** Right answers over the 10,000 images of the MNIST test set. */
  readonly accuracy: number
  readonly testImageCount: number
  readonly testCorrectCount: number
  readonly heldOutImageCount: number
  readonly heldOutCorrectCount: number
  readonly parameterCount: number
  /** Multiply-accumulates for one image. */
  readonly macCount: number
  readonly modelSizeBytes: number
  /** SHA-256 of `digits.onnx`, in hexadecimal. */
  readonly modelSha256: string
  readonly seed: number
  readonly trainingImageCount: number
  readonly trainedEpochCount: number
  readonly bestEpoch: number
  readonly trainingSeconds: number
}

/** No model below this accuracy is published. */
export const lowestAccuracy = 0.98

const figuresStart = '<!-- figures: written by digits:train -->'
const figuresEnd = '<!-- end of figures -->'

/** The card's table of figures, as Markdown. */
export function renderFigures(metrics: Metrics): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  const rows: [string, string][] = [
    [
      'Accuracy on the MNIST test set',
      `${(100 * metrics.accuracy).toFixed(2)} % (${number(metrics.testCorrectCount)} of ${number(metrics.testImageCount)})`,
    ],
    [
      'Accuracy on the held-out images',
      `${number(metrics.heldOutCorrectCount)} of ${number(metrics.heldOutImageCount)} (used to choose the epoch)`,
    ],
    ['Parameters', `${number(metrics.parameterCount)} float32`],
    ['Multiply-accumulates per image', number(metrics.macCount)],
    ['File', `\`model/digits.onnx\`, ${number(metrics.modelSizeBytes)} bytes`],
    ['SHA-256 of the file', `\`${metrics.modelSha256}\``],
    [
      'Training',
      `${number(metrics.trainingImageCount)} images, ${metrics.trainedEpochCount} epochs (epoch ${metrics.bestEpoch} kept), ` +
        `seed ${metrics.seed}, ${number(metrics.trainingSeconds)} s on one core`,
    ],
  ]
  return [
    '| figure | value |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
  ].join('\n')
}

/** Puts the figures into the card, between its two marker lines; the rest stays as it is. */
export function updateCard(card: string, metrics: Metrics): string {
  const before = card.slice(0, card.indexOf(figuresStart) + figuresStart.length)
  const after = card.slice(card.indexOf(figuresEnd))
  return `${before}\n\n${renderFigures(metrics)}\n\n${after}`
}
