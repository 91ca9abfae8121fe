// SPDX-License-Identifier: Apache-2.0
import { classDimension, type TensorSpec } from '@mlcapsule/contracts'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

const labelsMaxSizeBytes = 4 * 1024 * 1024

/**
 * Class names from a text file, one per line; empty lines at the end are not counted.
 * @throws ProviderError `PROVIDER_LABELS_INVALID` for an empty line, or not one label for each class
 */
export function parseLabels(text: string, output: TensorSpec | undefined): readonly string[] {
  const invalid = (detail: string) =>
    new ProviderError('PROVIDER_LABELS_INVALID', detail, { field: 'labels' })
  const labels = text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim())
  const empty = labels.indexOf('')
  if (empty !== -1) throw invalid(`line ${empty + 1} of the labels is empty`)
  const classCount = output?.shape[classDimension(output.shape)]
  if (typeof classCount === 'number' && classCount !== labels.length) {
    throw invalid(`output ${output?.name} has ${classCount} classes, the file ${labels.length} labels`)
  }
  return labels
}

/** @throws ProviderError `PROVIDER_LABELS_INVALID`, `PROVIDER_FILE_UNREADABLE`, `PROVIDER_FILE_INVALID` */
export async function readLabels(path: string, output: TensorSpec | undefined): Promise<readonly string[]> {
  return parseLabels(await readTextFile(path, labelsMaxSizeBytes), output)
}
