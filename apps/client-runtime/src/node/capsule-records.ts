// SPDX-License-Identifier: Apache-2.0
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeTokenFile } from '@mlcapsule/attestation'
import { syncFolder, systemCode } from '@mlcapsule/contracts/node'
import { fromBase64Url, fromHex, sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { decodeReceipt, type ReceiptLogEntry } from '@mlcapsule/metering'
import { ClientError } from '../errors.ts'
import { unverifiedPayload } from '../sdk/token-payload.ts'
import { readTokenFileIfThere, writeWholeFile } from './files.ts'
import { openReceiptLog, type ReceiptLog, readReceiptEntries } from './receipt-log.ts'
import { type CapsulePaths, type LicensePaths, makePrivateFolder } from './state-dir.ts'

const sentSuffix = '.sent.jws'
const statementName = /^\d{13}(\.sent)?\.jws$/

/** A statement that an enclave has given out. */
interface StoredStatement {
  readonly token: string
  /** Whether a service has taken it. */
  readonly sent: boolean
}

/** What is kept of one license. */
export interface LicenseRecords {
  readonly hash: Uint8Array
  /** Compact JWS; undefined where only receipts are left. */
  readonly license: string | undefined
  readonly receiptsPath: string
  readonly receipts: readonly ReceiptLogEntry[]
  /** In the order of their numbers. */
  readonly statements: readonly StoredStatement[]
}

/** The client's own papers of one capsule: licenses, receipts, statements. The enclave's state is not among them. */
export class CapsuleRecords {
  readonly paths: CapsulePaths
  readonly #logs: Map<string, Promise<ReceiptLog>> = new Map()

  constructor(paths: CapsulePaths) {
    this.paths = paths
  }

  /** The license in force, as it was received. */
  async currentLicense(): Promise<string | undefined> {
    return await readTokenFileIfThere(this.paths.licensePath)
  }

  /** Keeps a license, and makes it the one in force. */
  async keepLicense(token: string): Promise<void> {
    if ((await this.currentLicense()) === token) return
    const hash = sha256(utf8Bytes(token))
    const { licensePath } = await this.#folder(hash)
    await writeWholeFile(licensePath, encodeTokenFile(token), { replace: true, mode: 0o600 })
    await writeWholeFile(this.paths.licensePath, encodeTokenFile(token), { replace: true, mode: 0o600 })
  }

  /** The request of an activation that was begun over the network and not finished. */
  async waitingRequest(): Promise<string | undefined> {
    return await readTokenFileIfThere(this.paths.requestPath)
  }

  async keepRequest(token: string): Promise<void> {
    await writeWholeFile(this.paths.requestPath, encodeTokenFile(token), { replace: true, mode: 0o600 })
  }

  async dropRequest(): Promise<void> {
    await rm(this.paths.requestPath, { force: true })
  }

  /** Keeps receipts and closings, each under its own license. Resolves when they are durable. */
  async keepReceipts(entries: readonly ReceiptLogEntry[]): Promise<void> {
    const byLicense = Map.groupBy(entries, (entry) => toHex(licenseHashOf(entry)))
    await Promise.all([...byLicense].map(async ([hex, group]) => (await this.#log(hex)).append(group)))
  }

  /** Keeps a statement until a service has taken it. */
  async keepStatement(token: string): Promise<void> {
    const { license, seq } = unverifiedPayload(token)
    if (typeof license !== 'string' || typeof seq !== 'number') throw unreadable('statement')
    const { statementsDir } = await this.#folder(fromBase64Url(license))
    await makePrivateFolder(statementsDir)
    const name = String(seq).padStart(13, '0')
    // An enclave with nothing new to tell gives its last statement again.
    if ((await readTokenFileIfThere(join(statementsDir, `${name}${sentSuffix}`))) === token) return
    const path = join(statementsDir, `${name}.jws`)
    await writeWholeFile(path, encodeTokenFile(token), { replace: true, mode: 0o600 })
  }

  /** Notes that a service has taken a statement. */
  async markSent(token: string): Promise<void> {
    const { license, seq } = unverifiedPayload(token)
    const { statementsDir } = this.paths.license(fromBase64Url(String(license)))
    const name = String(seq).padStart(13, '0')
    await rename(join(statementsDir, `${name}.jws`), join(statementsDir, `${name}${sentSuffix}`)).catch(
      (cause) => {
        if (systemCode(cause) !== 'ENOENT') throw cause
      },
    )
    await syncFolder(statementsDir)
  }

  /** Everything that is kept, one entry per license. */
  async read(): Promise<readonly LicenseRecords[]> {
    const names = await listFolder(this.paths.licensesDir)
    const hashes = names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => fromHex(name))
    return await Promise.all(
      hashes.map(async (hash) => {
        const { licensePath, receiptsPath, statementsDir } = this.paths.license(hash)
        return {
          hash,
          license: await readTokenFileIfThere(licensePath),
          receiptsPath,
          receipts: await readReceiptEntries(receiptsPath),
          statements: await readStatements(statementsDir),
        }
      }),
    )
  }

  async close(): Promise<void> {
    const logs = await Promise.allSettled(this.#logs.values())
    this.#logs.clear()
    for (const log of logs) if (log.status === 'fulfilled') await log.value.close()
  }

  #log(hashHex: string): Promise<ReceiptLog> {
    const known = this.#logs.get(hashHex)
    if (known !== undefined) return known
    const opening = this.#folder(fromHex(hashHex)).then(({ receiptsPath }) => openReceiptLog(receiptsPath))
    this.#logs.set(hashHex, opening)
    // What stood in the way of opening it may be gone the next time.
    opening.catch(() => this.#logs.delete(hashHex))
    return opening
  }

  async #folder(licenseHash: Uint8Array): Promise<LicensePaths> {
    const paths = this.paths.license(licenseHash)
    await makePrivateFolder(this.paths.licensesDir)
    await makePrivateFolder(paths.path)
    return paths
  }
}

function licenseHashOf(entry: ReceiptLogEntry): Uint8Array {
  if ('receipt' in entry) return decodeReceipt(entry.receipt).license
  const { license } = unverifiedPayload(entry.closing)
  if (typeof license !== 'string') throw unreadable('closing')
  return fromBase64Url(license)
}

function unreadable(what: string): ClientError {
  return new ClientError('CLIENT_FILE_INVALID', `the enclave's ${what} names no license`, { field: what })
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return []
    const detail = `${path}: reading failed (${systemCode(cause)})`
    throw new ClientError('CLIENT_FILE_UNREADABLE', detail, { field: path, cause })
  }
}

async function readStatements(folder: string): Promise<readonly StoredStatement[]> {
  const names = (await listFolder(folder)).filter((name) => statementName.test(name))
  const statements = names.map(async (name) => {
    const token = await readTokenFileIfThere(join(folder, name))
    return token === undefined ? [] : [{ token, sent: name.endsWith(sentSuffix) }]
  })
  return (await Promise.all(statements)).flat()
}
