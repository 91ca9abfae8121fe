// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ModelError } from '../errors.ts'
import { externalPathParts } from '../onnx/external-path.ts'
import type { ModelSource } from '../source/model-source.ts'

/** A model file on disk. Stays open, with the data files beside it, until it is closed. */
export interface FileModelSource extends ModelSource {
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

async function readFully(file: FileHandle, offsetBytes: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  let doneBytes = 0
  while (doneBytes < sizeBytes) {
    const { bytesRead } = await file.read(bytes, doneBytes, sizeBytes - doneBytes, offsetBytes + doneBytes)
    if (bytesRead === 0) break
    doneBytes += bytesRead
  }
  return bytes.subarray(0, doneBytes)
}

async function openFile(path: string, followLink: boolean): Promise<{ file: FileHandle; sizeBytes: number }> {
  const flags = followLink ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NOFOLLOW
  let file: FileHandle
  try {
    file = await open(path, flags)
  } catch (cause) {
    throw new ModelError('MODEL_READ_FAILED', `cannot open ${path}`, { cause })
  }
  const info = await file.stat()
  if (info.isFile()) return { file, sizeBytes: info.size }
  await file.close()
  throw new ModelError('MODEL_READ_FAILED', `${path} is not a file`)
}

/** Refuses a path any part of which is a link: the data must lie in the model's own folder. */
async function refuseLinks(folder: string, parts: readonly string[]): Promise<string> {
  let path = folder
  for (const part of parts) {
    path = join(path, part)
    const info = await lstat(path).catch((cause: unknown) => {
      throw new ModelError('MODEL_READ_FAILED', `there is no data file ${path}`, { cause })
    })
    if (info.isSymbolicLink()) {
      throw new ModelError('MODEL_EXTERNAL_DATA_REFUSED', `${path} is a link`)
    }
  }
  return path
}

/**
 * Opens a model file. External data files are opened on demand, from the same folder only.
 * @throws ModelError `MODEL_READ_FAILED`
 */
export async function fileModelSource(path: string): Promise<FileModelSource> {
  const folder = dirname(resolve(path))
  const main = await openFile(path, true)
  const opened = new Map<string, { file: FileHandle; sizeBytes: number }>()
  const sourceOf = (it: { file: FileHandle; sizeBytes: number }): ModelSource => ({
    sizeBytes: it.sizeBytes,
    read: (offsetBytes, sizeBytes) => readFully(it.file, offsetBytes, sizeBytes),
  })
  const close = async () => {
    const files = [main, ...opened.values()]
    opened.clear()
    await Promise.all(files.map((it) => it.file.close()))
  }
  return {
    ...sourceOf(main),
    async sibling(relativePath) {
      const key = externalPathParts(relativePath).join('/')
      let it = opened.get(key)
      if (it === undefined) {
        it = await openFile(await refuseLinks(folder, key.split('/')), false)
        opened.set(key, it)
      }
      return sourceOf(it)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
