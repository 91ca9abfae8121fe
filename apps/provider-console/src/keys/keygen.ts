// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  publicKeyToJwk,
  randomBytes,
  Secret,
  wipe,
} from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { makePrivateFolder, writeWholeFile } from '../files/files.ts'
import { storePaths } from '../store/paths.ts'
import { type KeyPurpose, writeKeyFile } from './key-file.ts'

export interface MadeKeys {
  readonly keysDir: string
  readonly publisher: { readonly thumbprint: string; readonly publicKeyFile: string }
  readonly authority: { readonly thumbprint: string; readonly publicKeyFile: string }
}

/**
 * Makes the three keys of a provider in a store folder: private ones readable by their owner only, public ones beside.
 * @throws ProviderError `PROVIDER_KEY_FILE_EXISTS` if any of them is there, `PROVIDER_STORE_EXPOSED` for a folder that others
 * can enter: then none is written
 */
export async function makeKeys(storeDir: string): Promise<MadeKeys> {
  await cryptoReady()
  const paths = storePaths(storeDir)
  for (const purpose of ['publisher', 'authority', 'service'] satisfies KeyPurpose[]) {
    const path = paths.privateKey(purpose)
    if (existsSync(path)) {
      throw new ProviderError('PROVIDER_KEY_FILE_EXISTS', `${path} is already there`, { field: path })
    }
  }
  await makePrivateFolder(storeDir)
  await makePrivateFolder(paths.keysDir)

  const publisher = await makeSigningKey(storeDir, 'publisher')
  const authority = await makeSigningKey(storeDir, 'authority')
  const bytes = randomBytes(32)
  const service = Secret.fromBytes('prk', bytes)
  wipe(bytes)
  try {
    await writeKeyFile(paths.privateKey('service'), 'service', service)
  } finally {
    wipe(service)
  }
  return { keysDir: paths.keysDir, publisher, authority }
}

async function makeSigningKey(storeDir: string, purpose: 'publisher' | 'authority' | 'log') {
  const paths = storePaths(storeDir)
  const pair = generateSigningKeyPair()
  try {
    await writeKeyFile(paths.privateKey(purpose), purpose, pair.privateKey)
  } finally {
    wipe(pair.privateKey)
  }
  const publicKeyFile = paths.publicKey(purpose)
  await writeWholeFile(publicKeyFile, publicKeyToJwk(pair.publicKey), { replace: true })
  return { thumbprint: keyThumbprint(pair.publicKey), publicKeyFile }
}

/**
 * Makes the key of the log of measurements, unless it is there.
 * @throws ProviderError `PROVIDER_KEY_FILE_EXISTS` where another process makes it meanwhile, `PROVIDER_STORE_EXPOSED`
 */
export async function ensureLogKey(storeDir: string): Promise<void> {
  await cryptoReady()
  const paths = storePaths(storeDir)
  if (existsSync(paths.privateKey('log'))) return
  await makePrivateFolder(storeDir)
  await makePrivateFolder(paths.keysDir)
  await makeSigningKey(storeDir, 'log')
}
