// SPDX-License-Identifier: Apache-2.0
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  lockFolder,
  readSmallFile,
  syncFolder,
  systemCode,
  writeFileDurably,
} from '@mlcapsule/contracts/node'
import { equalBytes, keyThumbprint, type SigningKeyPair, utf8Bytes } from '@mlcapsule/crypto'
import { tokenFileMaxSizeBytes } from '../activation/token-file.ts'
import { AttestationError } from '../errors.ts'
import { consistencyPath, inclusionPath, leafHash, treeRoot } from '../transparency/merkle.ts'
import type { LogProof } from '../transparency/proof.ts'
import { signTreeHead, type TreeHead, verifyTreeHead } from '../transparency/tree-head.ts'
import { filesUnusable } from './file-errors.ts'

const entriesMaxSizeBytes = 67_108_864
const entryPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * An append-only log of signed measurements in a folder: a file of entries, one token a line, and the newest signed head.
 * The head is held against the entries at every opening, so entries that were changed or taken out are noticed. One who
 * can write to the folder and has the key can start another history: readers find that out by the heads that they keep.
 */
export interface TransparencyLog {
  /** Null where nothing was appended yet. */
  readonly head: TreeHead | null
  /** Tokens from the oldest on. */
  readonly entries: readonly string[]
  /**
   * Appends those that are not there yet, and signs a new head if there are any.
   * @throws AttestationError `ATTESTATION_FILES_UNUSABLE`, `TRANSPARENCY_ENTRY_UNKNOWN` for what is no token
   */
  append(tokens: readonly string[], nowMs: number): Promise<TreeHead>
  /**
   * @param knownHead a head that the reader has seen, which the proof then leads from
   * @throws AttestationError `TRANSPARENCY_ENTRY_UNKNOWN`, `TRANSPARENCY_HEAD_INVALID`; CryptoError `JWS_*`
   */
  prove(token: string, knownHead?: string): Promise<LogProof>
  close(): void
}

/**
 * Opens the log for this process alone.
 * @param key the log's key
 * @throws AttestationError `ATTESTATION_FILES_UNUSABLE`, also where the entries are not those of the head
 */
export async function openTransparencyLog(dir: string, key: SigningKeyPair): Promise<TransparencyLog> {
  const lock = await lockLog(dir)
  try {
    const logs = [keyThumbprint(key.publicKey)]
    const { entries, wholeSizeBytes } = await readEntries(join(dir, 'entries'))
    const head = await readHead(join(dir, 'head'), logs)
    assertHeadHolds(dir, head, entries)
    return logOver({ dir, key, logs, lock, state: { entries, wholeSizeBytes, head } })
  } catch (error) {
    lock.release()
    throw error
  }
}

interface LogState {
  readonly entries: readonly string[]
  /** Of the entries' file, without a last line that was not written whole. */
  readonly wholeSizeBytes: number
  readonly head: TreeHead | null
}

interface OpenLog {
  readonly dir: string
  readonly key: SigningKeyPair
  readonly logs: readonly string[]
  readonly lock: { release(): void }
  state: LogState
}

function logOver(log: OpenLog): TransparencyLog {
  const leaves = () => log.state.entries.map((it) => leafHash(utf8Bytes(it)))
  return {
    get head() {
      return log.state.head
    },
    get entries() {
      return log.state.entries
    },
    async append(tokens, nowMs) {
      if (tokens.some((it) => !entryPattern.test(it)))
        throw unknownEntry('an entry is the token of a reference value')
      const added = [...new Set(tokens)].filter((it) => !log.state.entries.includes(it))
      const entries = [...log.state.entries, ...added]
      const { head } = log.state
      if (head !== null && head.count === entries.length) return head
      if (entries.length === 0) throw unknownEntry('there is nothing to append')
      const wholeSizeBytes = await appendLines(join(log.dir, 'entries'), log.state.wholeSizeBytes, added)
      const tree = { count: entries.length, root: treeRoot(entries.map((it) => leafHash(utf8Bytes(it)))) }
      const token = await signTreeHead(log.key, tree, nowMs)
      await writeHead(join(log.dir, 'head'), token)
      const next = await verifyTreeHead(token, log.logs)
      log.state = { entries, wholeSizeBytes, head: next }
      return next
    },
    async prove(token, knownHead) {
      const { head, entries } = log.state
      const index = entries.indexOf(token)
      if (head === null || index < 0 || index >= head.count)
        throw unknownEntry('the log does not hold this entry')
      const path = inclusionPath(leaves(), index)
      if (knownHead === undefined) return { head: head.token, index, path, since: null }
      const known = await verifyTreeHead(knownHead, log.logs)
      if (known.count > head.count || !equalBytes(treeRoot(leaves().slice(0, known.count)), known.root)) {
        const detail = 'the head that is known is not one of this log'
        throw new AttestationError('TRANSPARENCY_HEAD_INVALID', detail, { field: 'knownHead' })
      }
      const since = { head: knownHead, path: consistencyPath(leaves(), known.count) }
      return { head: head.token, index, path, since }
    },
    close: () => log.lock.release(),
  }
}

function unknownEntry(detail: string): AttestationError {
  return new AttestationError('TRANSPARENCY_ENTRY_UNKNOWN', detail, { field: 'entry' })
}

async function lockLog(dir: string) {
  let lock: Awaited<ReturnType<typeof lockFolder>>
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    lock = await lockFolder(dir)
  } catch (cause) {
    throw filesUnusable(dir, 'locking the folder failed', cause)
  }
  if (lock.taken) return lock
  throw filesUnusable(dir, `process ${lock.holder.pid} has the log open`)
}

/** Entries beyond the head were appended before a crash, and are taken up by the next head. */
function assertHeadHolds(dir: string, head: TreeHead | null, entries: readonly string[]): void {
  if (head === null) return
  const leaves = entries.slice(0, head.count).map((it) => leafHash(utf8Bytes(it)))
  if (leaves.length === head.count && equalBytes(treeRoot(leaves), head.root)) return
  throw filesUnusable(dir, 'the entries are not those of the newest head: they were changed or taken out')
}

async function readIfThere(path: string, maxSizeBytes: number): Promise<Uint8Array> {
  try {
    return await readSmallFile(path, maxSizeBytes)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return new Uint8Array()
    throw filesUnusable(path, 'reading failed', cause)
  }
}

async function readEntries(path: string): Promise<Omit<LogState, 'head'>> {
  const bytes = await readIfThere(path, entriesMaxSizeBytes)
  const wholeSizeBytes = bytes.lastIndexOf(0x0a) + 1
  const text = new TextDecoder().decode(bytes.subarray(0, wholeSizeBytes))
  const entries = text.split('\n').slice(0, -1)
  if (entries.some((it) => !entryPattern.test(it))) throw filesUnusable(path, 'a line is no token')
  return { entries, wholeSizeBytes }
}

async function readHead(path: string, logs: readonly string[]): Promise<TreeHead | null> {
  const bytes = await readIfThere(path, tokenFileMaxSizeBytes)
  if (bytes.length === 0) return null
  const token = new TextDecoder().decode(bytes).replace(/\n$/, '')
  try {
    return await verifyTreeHead(token, logs)
  } catch {
    throw filesUnusable(path, 'it is not a head by the key of this log')
  }
}

async function appendLines(path: string, wholeSizeBytes: number, lines: readonly string[]): Promise<number> {
  const bytes = utf8Bytes(lines.map((it) => `${it}\n`).join(''))
  const sizeBytes = wholeSizeBytes + bytes.length
  if (sizeBytes > entriesMaxSizeBytes)
    throw filesUnusable(path, `it would have more than ${entriesMaxSizeBytes} bytes`)
  try {
    const file = await open(path, 'a', 0o600)
    try {
      await file.truncate(wholeSizeBytes)
      await file.appendFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await syncFolder(join(path, '..'))
  } catch (cause) {
    throw filesUnusable(path, 'writing failed', cause)
  }
  return sizeBytes
}

async function writeHead(path: string, token: string): Promise<void> {
  try {
    await writeFileDurably(path, `${token}\n`, { replace: true, mode: 0o600 })
  } catch (cause) {
    throw filesUnusable(path, 'writing failed', cause)
  }
}
