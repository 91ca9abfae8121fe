// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'
import { modelLimits } from '../limits.ts'
import { externalPathParts } from '../onnx/external-path.ts'
import { type ModelSource, readExactly } from '../source/model-source.ts'

/** Files one after another, as if they were one. */
function concatenated(parts: readonly ModelSource[]): ModelSource {
  const starts: number[] = []
  let sizeBytes = 0
  for (const part of parts) {
    starts.push(sizeBytes)
    sizeBytes += part.sizeBytes
  }
  return {
    sizeBytes,
    async read(offsetBytes, count) {
      const bytes = new Uint8Array(count)
      for (const [i, part] of parts.entries()) {
        const start = starts[i] as number
        const from = Math.max(offsetBytes, start)
        const to = Math.min(offsetBytes + count, start + part.sizeBytes)
        if (from < to) bytes.set(await readExactly(part, from - start, to - from), from - offsetBytes)
      }
      return bytes
    },
  }
}

/**
 * The files of a group of weights, as one.
 * @throws ModelError `MODEL_EXTERNAL_DATA_REFUSED`, `MODEL_READ_FAILED`, `MODEL_TOO_LARGE`
 */
export async function shardSource(source: ModelSource, paths: readonly string[]): Promise<ModelSource> {
  if (paths.length > modelLimits.shardCount) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `a group of weights has more than ${modelLimits.shardCount} files`,
    )
  }
  const parts: ModelSource[] = []
  for (const path of paths) {
    const key = externalPathParts(path).join('/')
    if (source.sibling === undefined) {
      const detail = `weights lie in ${quote(key)}, and this source has no files beside it`
      throw new ModelError('MODEL_EXTERNAL_DATA_REFUSED', detail)
    }
    parts.push(await source.sibling(key))
  }
  return concatenated(parts)
}
