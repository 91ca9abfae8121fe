// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder } from '@mlcapsule/contracts/node'
import { randomBytes, Secret, wipe } from '@mlcapsule/crypto'
import { fileAnchor, fileRecordStore } from '@mlcapsule/metering/node'
import { BridgeError } from '../errors.ts'
import type { HostServices } from '../host/services.ts'
import type { SimulatedMachine } from '../host/start.ts'
import { recordSlots } from '../protocol/words.ts'

/** A folder with the state of one enclave: sealed records, and what stands in for hardware on the simulated platform. */
export interface StateDir {
  readonly records: Pick<HostServices, 'readRecord' | 'writeRecord'>
  readonly machine: SimulatedMachine
  /** Lets another enclave use the folder. At once, so that whoever waited for this one's end can start the next. */
  release(): void
}

function unusable(detail: string, cause?: unknown): BridgeError {
  return new BridgeError('BRIDGE_STATE_UNUSABLE', detail, {
    field: 'stateDir',
    cause,
  })
}

async function assertPrivate(path: string): Promise<void> {
  const { mode } = await stat(path)
  // Windows has no such bits.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw unusable('the folder is open to other users: take their access away (chmod 700)')
  }
}

/** Loads 32 secret bytes, or makes them. */
async function loadOrCreateKey<const Kind extends 'ed25519-private' | 'platform-key'>(
  path: string,
  kind: Kind,
): Promise<Secret<Kind>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  const key: Uint8Array = bytes ?? randomBytes(32)
  if (key.length !== 32) throw unusable('a key file of the folder does not have 32 bytes')
  if (bytes === null) await fileRecordStore(path).write(key)
  const secret = Secret.fromBytes(kind, key)
  wipe(key)
  return secret
}

/** @returns lets go of it */
async function lock(path: string): Promise<() => void> {
  const folderLock = await lockFolder(path)
  if (folderLock.taken) return folderLock.release
  const { pid, isHere, lockPath } = folderLock.holder
  const where = isHere ? '' : ` on another machine or in another container; if it is gone, remove ${lockPath}`
  throw unusable(`another enclave, of process ${pid}${where}, uses the folder`)
}

/**
 * Opens a state folder, or makes it.
 * @throws BridgeError `BRIDGE_STATE_UNUSABLE`
 */
export async function openStateDir(path: string): Promise<StateDir> {
  let release: () => void
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await assertPrivate(path)
    release = await lock(path)
  } catch (error) {
    throw error instanceof BridgeError ? error : unusable('the folder cannot be used', error)
  }
  try {
    const stores = new Map(recordSlots.map((slot) => [slot, fileRecordStore(join(path, `${slot}.sealed`))]))
    const storeOf = (slot: (typeof recordSlots)[number]) => stores.get(slot) ?? fail()
    return {
      records: {
        readRecord: (slot) => storeOf(slot).read(),
        writeRecord: (slot, record) =>
          record === null ? rm(join(path, `${slot}.sealed`), { force: true }) : storeOf(slot).write(record),
      },
      machine: {
        rootPrivateKey: await loadOrCreateKey(join(path, 'simulated-root.key'), 'ed25519-private'),
        platformKey: await loadOrCreateKey(join(path, 'simulated-platform.key'), 'platform-key'),
        anchor: await fileAnchor(join(path, 'simulated-anchor')),
      },
      release,
    }
  } catch (error) {
    release()
    throw error instanceof BridgeError ? error : unusable('a file of the folder cannot be used', error)
  }
}

function fail(): never {
  throw unusable('there is no record of that name')
}
