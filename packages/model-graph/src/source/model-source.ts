// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { ModelError } from '../errors.ts'

/** Random access to the bytes of a model file. Reads may be in any order and overlap. */
export interface ModelSource {
  readonly sizeBytes: number
  /** Exactly `sizeBytes` bytes from `offsetBytes`, in memory of their own. */
  read(offsetBytes: number, sizeBytes: number): Promise<Uint8Array>
  /** A file beside the model, for external tensor data. `path` is relative, with `/` between its parts. */
  sibling?(path: string): Promise<ModelSource>
}

/** Reads and checks that the source gave what was asked for. @throws ModelError `MODEL_READ_FAILED` */
export async function readExactly(
  source: ModelSource,
  offsetBytes: number,
  sizeBytes: number,
): Promise<Uint8Array> {
  if (offsetBytes < 0 || sizeBytes < 0 || offsetBytes + sizeBytes > source.sizeBytes) {
    const range = `${sizeBytes} bytes at ${offsetBytes}`
    throw new ModelError('MODEL_READ_FAILED', `${range} lie outside a file of ${source.sizeBytes} bytes`)
  }
  const bytes = await source.read(offsetBytes, sizeBytes)
  if (bytes.length !== sizeBytes) {
    throw new ModelError(
      'MODEL_READ_FAILED',
      `asked for ${sizeBytes} bytes at ${offsetBytes}, got ${bytes.length}`,
    )
  }
  return bytes
}

/** A model that is in memory, e.g. from `fetch`. `siblings` are the external data files by relative path. */
export function memoryModelSource(
  bytes: Uint8Array,
  siblings: ReadonlyMap<string, Uint8Array> = new Map(),
): ModelSource {
  return {
    sizeBytes: bytes.length,
    read: async (offsetBytes, sizeBytes) => copyBytes(bytes, offsetBytes, offsetBytes + sizeBytes),
    sibling: async (path) => {
      const file = siblings.get(path)
      if (file === undefined) {
        throw new ModelError('MODEL_READ_FAILED', `there is no data file ${JSON.stringify(path)}`)
      }
      return memoryModelSource(file)
    },
  }
}
