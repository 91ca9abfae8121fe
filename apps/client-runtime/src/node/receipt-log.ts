// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, systemCode } from '@mlcapsule/contracts/node'
import { encodeReceiptLine, parseReceiptLog, type ReceiptLogEntry } from '@mlcapsule/metering'
import { ClientError } from '../errors.ts'
import { readIfThere } from './files.ts'

/** About a million queries. */
const fileMaxSizeBytes = 268_435_456
/** Longer than any line: a closing is a token of less than a kilobyte. */
const tailSizeBytes = 65_536

/** The client's receipts, only ever added to. */
export interface ReceiptLog {
  /** Resolves when the entries are durable. */
  append(entries: readonly ReceiptLogEntry[]): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the file to add to it. A crash may have left half a line at its end; its answer was never given out, so it is
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
    append(entries) {
      const lines = entries.map(encodeReceiptLine).join('')
      if (waiting !== undefined) {
        waiting.lines += lines
        return waiting.done
      }
      const batch = { lines, done: Promise.resolve() }
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
  const startBytes = Math.max(0, sizeBytes - tailSizeBytes)
  const tail = new Uint8Array(sizeBytes - startBytes)
  await file.read(tail, 0, tail.length, startBytes)
  return startBytes + tail.lastIndexOf(10) + 1
}

/**
 * All entries, in order; none where there is no file. Half a line at the end is left out.
 * @throws ClientError `CLIENT_FILE_UNREADABLE`, `CLIENT_FILE_INVALID`; MeteringError `RECEIPT_LOG_MALFORMED`
 */
export async function readReceiptEntries(path: string): Promise<readonly ReceiptLogEntry[]> {
  const bytes = await readIfThere(path, fileMaxSizeBytes)
  return bytes === undefined ? [] : parseReceiptLog(new TextDecoder().decode(bytes)).entries
}
