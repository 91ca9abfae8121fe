// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'

/** Where the example keeps its files. */
export interface DigitsPaths {
  readonly repositoryRoot: string
  /** Best weights so far and the record of the run; not committed. */
  readonly checkpoint: string
  readonly runRecord: string
  /** Committed results. */
  readonly model: string
  readonly labels: string
  readonly metrics: string
  readonly card: string
  readonly samples: string
}

/** @param exampleFolder the folder `examples/digits` */
export function digitsPaths(exampleFolder: string): DigitsPaths {
  return {
    repositoryRoot: resolve(exampleFolder, '..', '..'),
    checkpoint: join(exampleFolder, 'dist', 'training', 'best.f32'),
    runRecord: join(exampleFolder, 'dist', 'training', 'run.json'),
    model: join(exampleFolder, 'model', 'digits.onnx'),
    labels: join(exampleFolder, 'model', 'labels.txt'),
    metrics: join(exampleFolder, 'model', 'metrics.json'),
    card: join(exampleFolder, 'MODEL_CARD.md'),
    samples: join(exampleFolder, 'samples'),
  }
}
