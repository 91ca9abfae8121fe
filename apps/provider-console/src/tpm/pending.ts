// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import type { PendingAttestationKey } from '@mlcapsule/attestation/tpm'
import { randomBytes, toHex } from '@mlcapsule/crypto'
import { hexOf } from '@mlcapsule/crypto/schema'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import { readTextFile, writeWholeFile } from '../files/files.ts'
import { listFiles, makeStoreFolder, removeFile } from '../files/folder.ts'
import { storePaths } from '../store/paths.ts'

const pendingFile = /^[0-9a-f]{32}\.json$/
const pendingMaxSizeBytes = 4096
const pendingMaxCount = 1024
const waitMs = 7 * 86_400_000

const pendingSchema = z.strictObject({
  version: z.literal(1),
  akName: z.string().regex(/^[0-9a-f]{68,132}$/),
  ekSpkiSha256: hexOf(32),
  ekRootSpkiSha256: hexOf(32),
  answerSha256: hexOf(32),
  lifetimeDays: z.int().min(1),
  offeredAtMs: z.int().min(0),
  expiresAtMs: z.int().min(0),
})

/** An enrollment that waits for the answer of its TPM. It holds no secret. */
export interface PendingEnrollment extends PendingAttestationKey {
  /** Of the credential that an answer earns. */
  readonly lifetimeDays: number
  readonly offeredAtMs: number
  /** Until when an answer is taken. */
  readonly expiresAtMs: number
}

export interface ListedEnrollment extends PendingEnrollment {
  /** Lower-case hex, 16 bytes. */
  readonly id: string
}

/** Enrollments that wait, as files in a folder. */
export interface PendingEnrollments {
  /**
   * Keeps one for seven days; those whose time has run out are forgotten.
   * @returns its id
   * @throws ProviderError `PROVIDER_TPM_FULL`, `PROVIDER_STORE_EXPOSED`, `PROVIDER_FILE_*`
   */
  add(pending: PendingAttestationKey, lifetimeDays: number, nowMs: number): Promise<string>
  /**
   * Takes one out, whatever comes of it.
   * @throws ProviderError `PROVIDER_ENROLLMENT_UNKNOWN`, `PROVIDER_ENROLLMENT_EXPIRED`, `PROVIDER_FILE_*`
   */
  take(id: string, nowMs: number): Promise<PendingEnrollment>
  /** In the order of their ids, also those whose time has run out. @throws ProviderError `PROVIDER_FILE_*` */
  list(): Promise<readonly ListedEnrollment[]>
}

export function pendingEnrollments(storeDir: string): PendingEnrollments {
  const dir = storePaths(storeDir).tpmPendingDir
  const pathOf = (id: string) => join(dir, `${id}.json`)
  const ids = async () => (await listFiles(dir, pendingFile)).map((it) => it.slice(0, 32))
  const list = async () =>
    await Promise.all((await ids()).map(async (id) => ({ id, ...(await readPending(pathOf(id))) })))
  return {
    list,
    async add(pending, lifetimeDays, nowMs) {
      for (const { id, expiresAtMs } of await list()) if (nowMs > expiresAtMs) await removeFile(pathOf(id))
      if ((await ids()).length >= pendingMaxCount) {
        const detail = `${pendingMaxCount} enrollments wait for their answer already`
        throw new ProviderError('PROVIDER_TPM_FULL', detail, { field: dir })
      }
      await makeStoreFolder(storeDir, dir)
      const id = toHex(randomBytes(16))
      const kept = { version: 1, ...pending, lifetimeDays, offeredAtMs: nowMs, expiresAtMs: nowMs + waitMs }
      await writeWholeFile(pathOf(id), `${JSON.stringify(kept, null, 1)}\n`, { mode: 0o600 })
      return id
    },
    async take(id, nowMs) {
      const unknown = () =>
        new ProviderError('PROVIDER_ENROLLMENT_UNKNOWN', `no enrollment ${id} waits`, { field: 'answer.id' })
      const isThere = async () => (await ids()).includes(id)
      if (!(await isThere())) throw unknown()
      const pending = await readPending(pathOf(id)).catch(async (error: unknown) => {
        throw (await isThere()) ? error : unknown()
      })
      // Of two who try at once, one takes it.
      if (!(await removeFile(pathOf(id)))) throw unknown()
      if (nowMs <= pending.expiresAtMs) return pending
      const detail = `enrollment ${id} waited until ${new Date(pending.expiresAtMs).toISOString()}`
      throw new ProviderError('PROVIDER_ENROLLMENT_EXPIRED', detail, { field: 'answer.id' })
    },
  }
}

async function readPending(path: string): Promise<PendingEnrollment> {
  const invalid = () =>
    new ProviderError('PROVIDER_FILE_INVALID', `${path} holds no enrollment`, { field: path })
  let value: unknown
  try {
    value = JSON.parse(await readTextFile(path, pendingMaxSizeBytes))
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid()
    throw error
  }
  const { success, data } = pendingSchema.safeParse(value)
  if (!success) throw invalid()
  const { version: _version, ...pending } = data
  return pending
}
