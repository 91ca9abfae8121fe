// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClientError } from '../errors.ts'
import { syncFolder, systemCode } from './files.ts'

/** A line of the file: what is kept of one query is at most 256 bytes before its encoding. */
const lineMaxLength = 4096
const readChunkSizeBytes = 65_536

/** The client's receipts: one JSON line each, only ever added to. */
export interface ReceiptLog {
  /** Resolves when the line is durable. */
  append(line: string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the file to add to it. A crash may have left half a line at its end; that one was never answered for, so it is
 * taken off.
 * @throws ClientError `CLIENT_FILE_NOT_WRITTEN`
 */
export async function openReceiptLog(path: string): Promise<ReceiptLog> {
  const { file, sizeBytes } = await openForAppending(path)
  let durableSizeBytes = sizeBytes
  let waiting: { lines: string; done: Promise<void> } | undefined
  let last: Promise<void> = Promise.resolve()

  const flush = async (batch: { lines: string }, before: Promise<void>) => {
    await before
    // From here on, new lines form the next batch.
    waiting = undefined
    try {
      const bytes = Buffer.from(batch.lines)
      await file.appendFile(bytes)
      await file.datasync()
      durableSizeBytes += bytes.length
    } catch (cause) {
      // What came through of it must not become the start of the next line.
      await file.truncate(durableSizeBytes).catch(() => undefined)
      throw notWritten(path, 'adding a receipt', cause)
    }
  }
  return {
    append(line) {
      if (waiting !== undefined) {
        waiting.lines += `${line}\n`
        return waiting.done
      }
      const batch = { lines: `${line}\n`, done: Promise.resolve() }
      waiting = batch
      batch.done = flush(batch, last)
      // A failed write fails its own lines; those after it get a try of their own.
      last = batch.done.catch(() => undefined)
      return batch.done
    },
    async close() {
      await last
      await file.close()
    },
  }
}

function notWritten(path: string, action: string, cause: unknown): ClientError {
  const detail = `${path}: ${action} failed (${systemCode(cause)})`
  return new ClientError('CLIENT_FILE_NOT_WRITTEN', detail, { field: path, cause })
}

async function openForAppending(path: string): Promise<{ file: FileHandle; sizeBytes: number }> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'a+', 0o600)
    const { size } = await file.stat()
    const wholeSizeBytes = await endOfLastLine(file, size)
    if (wholeSizeBytes < size) await file.truncate(wholeSizeBytes)
    if (size === 0) await syncFolder(dirname(path))
    return { file, sizeBytes: wholeSizeBytes }
  } catch (cause) {
    await file?.close()
    throw notWritten(path, 'opening', cause)
  }
}

async function endOfLastLine(file: FileHandle, sizeBytes: number): Promise<number> {
  const startBytes = Math.max(0, sizeBytes - lineMaxLength)
  const tail = new Uint8Array(sizeBytes - startBytes)
  await file.read(tail, 0, tail.length, startBytes)
  return startBytes + tail.lastIndexOf(10) + 1
}

/**
 * The lines of the file, in order; none where there is no file. Half a line at its end is left out.
 * @throws ClientError `CLIENT_FILE_UNREADABLE`, `CLIENT_RECEIPTS_DAMAGED` for a line that is too long
 */
export async function* readReceiptLines(path: string): AsyncGenerator<string> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return
    const detail = `${path}: reading failed (${systemCode(cause)})`
    throw new ClientError('CLIENT_FILE_UNREADABLE', detail, { field: path, cause })
  }
  try {
    const decoder = new TextDecoder()
    const chunk = new Uint8Array(readChunkSizeBytes)
    let rest = ''
    for (let lineNumber = 1; ; ) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
      if (bytesRead === 0) return
      const lines = (rest + decoder.decode(chunk.subarray(0, bytesRead), { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of [...lines, rest]) {
        if (line.length <= lineMaxLength) continue
        const detail = `${path}: line ${lineNumber} or one soon after it is longer than ${lineMaxLength} characters`
        throw new ClientError('CLIENT_RECEIPTS_DAMAGED', detail, { field: path })
      }
      lineNumber += lines.length
      yield* lines
    }
  } finally {
    await file.close()
  }
}
