// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { type TpmTrustStore, tpmTrustStore } from '@mlcapsule/attestation/tpm'
import { keyThumbprint } from '@mlcapsule/crypto'
import { readPublicKey } from '../keys/public-key.ts'
import { storePaths } from '../store/paths.ts'
import { tpmRoots } from './roots.ts'

/**
 * Whose word about TPMs a store takes, as it stands now: its own key for their credentials, if it has made one, and the roots
 * that were taken in.
 * @throws ProviderError `PROVIDER_FILE_UNREADABLE`, `PROVIDER_KEY_FILE_INVALID`
 */
export async function readTpmTrustStore(storeDir: string): Promise<TpmTrustStore> {
  const path = storePaths(storeDir).publicKey('tpm')
  const authorities = existsSync(path) ? [keyThumbprint(await readPublicKey(path))] : []
  return tpmTrustStore({ authorities, ekRoots: await tpmRoots(storeDir).pins() })
}
