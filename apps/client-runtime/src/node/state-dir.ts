// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { privateFolderProblem, systemCode } from '@mlcapsule/contracts/node'
import { toHex } from '@mlcapsule/crypto'
import { ClientError } from '../errors.ts'

/** Where the client keeps its key, and for each activated capsule the enclave's sealed state and the receipts. */
export interface StateDir {
  readonly path: string
  readonly customerKeyPath: string
  /** Folder of one capsule; it may not be there yet. */
  capsule(capsuleId: Uint8Array): CapsulePaths
}

export interface CapsulePaths {
  readonly path: string
  /** Sealed records, anchor and platform key: written by the enclave's launcher alone. */
  readonly enclaveDir: string
  /** The license in force. */
  readonly licensePath: string
  /** The request of an activation over the network, until it is finished. */
  readonly requestPath: string
  /** What is kept under each license. @param licenseHash 32 bytes */
  license(licenseHash: Uint8Array): LicensePaths
  /** Folder of all licenses that there have been, each named by the hash of its license in hex. */
  readonly licensesDir: string
}

export interface LicensePaths {
  readonly path: string
  readonly licensePath: string
  readonly receiptsPath: string
  readonly statementsDir: string
}

/**
 * `MLCAPSULE_STATE`, or else `mlcapsule` in the folder that the system has for an application's state.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function defaultStateDir(
  env: Readonly<Record<string, string | undefined>>,
  platform = process.platform,
): string {
  const chosen = env.MLCAPSULE_STATE
  if (chosen !== undefined && chosen !== '') return resolve(chosen)
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'mlcapsule')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'mlcapsule')
  const base = env.XDG_STATE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.local', 'state'), 'mlcapsule')
}

/**
 * Opens the state directory, and makes it if it is not there. It has to be this user's, closed to all others.
 * @throws ClientError `CLIENT_STATE_UNSAFE`
 */
export async function openStateDir(path: string): Promise<StateDir> {
  const root = resolve(path)
  await makePrivateFolder(root)
  await makePrivateFolder(join(root, 'capsules'))
  return {
    path: root,
    customerKeyPath: join(root, 'customer.key'),
    capsule: (capsuleId) => capsulePaths(join(root, 'capsules', toHex(capsuleId))),
  }
}

function capsulePaths(path: string): CapsulePaths {
  const licensesDir = join(path, 'licenses')
  return {
    path,
    licensesDir,
    enclaveDir: join(path, 'enclave'),
    licensePath: join(path, 'license.jws'),
    requestPath: join(path, 'request.jws'),
    license: (licenseHash) => {
      const folder = join(licensesDir, toHex(licenseHash))
      return {
        path: folder,
        licensePath: join(folder, 'license.jws'),
        receiptsPath: join(folder, 'receipts.jsonl'),
        statementsDir: join(folder, 'statements'),
      }
    },
  }
}

/** Makes a folder that only its owner can enter, or checks the one that is there. @throws ClientError `CLIENT_STATE_UNSAFE` */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const problem = await privateFolderProblem(path)
    if (problem !== undefined) throw unsafe(path, problem)
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw unsafe(path, `making the folder failed (${systemCode(cause)})`, cause)
  }
}

function unsafe(path: string, detail: string, cause?: unknown): ClientError {
  return new ClientError('CLIENT_STATE_UNSAFE', `${path}: ${detail}`, { field: 'state', cause })
}
