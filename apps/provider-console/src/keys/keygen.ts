// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  publicKeyToJwk,
  randomBytes,
  Secret,
  signingKeyPairFrom,
  wipe,
} from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { makePrivateFolder, writeWholeFile } from '../files/files.ts'
import { storePaths } from '../store/paths.ts'
import { type KeyPurpose, readKeyFile, writeKeyFile } from './key-file.ts'

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

/** Purposes whose keys are made at first use. */
type LaterPurpose = 'log' | 'tpm'

async function makeSigningKey(storeDir: string, purpose: 'publisher' | 'authority' | LaterPurpose) {
  const pair = generateSigningKeyPair()
  try {
    await writeKeyFile(storePaths(storeDir).privateKey(purpose), purpose, pair.privateKey)
  } finally {
    wipe(pair.privateKey)
  }
  return await writePublicKey(storeDir, purpose, pair.publicKey)
}

async function writePublicKey(storeDir: string, purpose: KeyPurpose, publicKey: Uint8Array) {
  const publicKeyFile = storePaths(storeDir).publicKey(purpose)
  await writeWholeFile(publicKeyFile, publicKeyToJwk(publicKey), { replace: true })
  return { thumbprint: keyThumbprint(publicKey), publicKeyFile }
}

/**
 * Makes a key that is made at first use, unless it is there; a public half that is missing is written again.
 * @throws ProviderError `PROVIDER_KEY_FILE_EXISTS` where another process makes it meanwhile, `PROVIDER_STORE_EXPOSED`
 */
export async function ensureSigningKey(storeDir: string, purpose: LaterPurpose): Promise<void> {
  await cryptoReady()
  const paths = storePaths(storeDir)
  const path = paths.privateKey(purpose)
  if (existsSync(path) && existsSync(paths.publicKey(purpose))) return
  await makePrivateFolder(storeDir)
  await makePrivateFolder(paths.keysDir)
  if (!existsSync(path)) {
    await makeSigningKey(storeDir, purpose)
    return
  }
  const { publicKey, privateKey } = signingKeyPairFrom(await readKeyFile(path, purpose))
  wipe(privateKey)
  await writePublicKey(storeDir, purpose, publicKey)
}
