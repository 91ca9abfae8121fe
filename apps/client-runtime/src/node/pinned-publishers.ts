// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '@mlcapsule/contracts/node'
import { cryptoReady, keyThumbprint, publicKeyToJwk } from '@mlcapsule/crypto'
import { ClientError } from '../errors.ts'
import { writeWholeFile } from './files.ts'
import { readPublicKey } from './public-key.ts'
import { makePrivateFolder, type StateDir } from './state-dir.ts'

const folderOf = (state: StateDir) => join(state.path, 'publishers')

/**
 * Pins a publisher's key: capsules that it signed are opened from now on.
 * @returns the thumbprint, by which people compare keys
 * @throws ClientError `CLIENT_STATE_UNSAFE`, `CLIENT_FILE_NOT_WRITTEN`
 */
export async function pinPublisher(state: StateDir, publicKey: Uint8Array): Promise<string> {
  await cryptoReady()
  const thumbprint = keyThumbprint(publicKey)
  await makePrivateFolder(folderOf(state))
  const path = join(folderOf(state), `${thumbprint}.jwk`)
  await writeWholeFile(path, publicKeyToJwk(publicKey), { mode: 0o600, replace: true })
  return thumbprint
}

/** All pinned keys. @throws ClientError `CLIENT_KEY_FILE_INVALID`, `CLIENT_FILE_UNREADABLE` */
export async function pinnedPublishers(state: StateDir): Promise<readonly Uint8Array[]> {
  await cryptoReady()
  const folder = folderOf(state)
  const names = await readdir(folder).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return []
    const detail = `${folder}: reading failed (${systemCode(cause)})`
    throw new ClientError('CLIENT_FILE_UNREADABLE', detail, { field: folder, cause })
  })
  const files = names.filter((name) => name.endsWith('.jwk')).sort()
  return await Promise.all(files.map((name) => readPublicKey(join(folder, name))))
}

/**
 * The keys that a command goes by: those that it was given, and else the pinned ones.
 * @throws ClientError `CLIENT_PUBLISHER_UNKNOWN` where there is none
 */
export async function publisherKeys(
  state: StateDir,
  given: readonly string[] | undefined,
): Promise<readonly Uint8Array[]> {
  await cryptoReady()
  if (given !== undefined) return await Promise.all(given.map(readPublicKey))
  const pinned = await pinnedPublishers(state)
  if (pinned.length > 0) return pinned
  throw new ClientError('CLIENT_PUBLISHER_UNKNOWN', 'no publisher key is given or pinned', {
    field: 'publisher',
  })
}
