// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import type { KeyPurpose } from '../keys/key-file.ts'

/** Where things lie in a provider's store folder. */
export function storePaths(storeDir: string) {
  return {
    keysDir: join(storeDir, 'keys'),
    databaseDir: join(storeDir, 'database'),
    /** What the vendors of platforms say, and the newest time that any of it names. */
    collateralDir: join(storeDir, 'collateral'),
    /** Reference values by signers whom policies may name. */
    referencesDir: join(storeDir, 'references'),
    /** The log of released measurements. */
    logDir: join(storeDir, 'transparency'),
    /** Roots of makers of TPMs, and enrollments that wait for their answer. */
    tpmRootsDir: join(storeDir, 'tpm', 'roots'),
    tpmPendingDir: join(storeDir, 'tpm', 'pending'),
    /** Where the running service takes the commands of this machine's provider tools. */
    socket: join(storeDir, 'service.sock'),
    privateKey: (purpose: KeyPurpose) => join(storeDir, 'keys', `${purpose}.key`),
    publicKey: (purpose: KeyPurpose) => join(storeDir, 'keys', `${purpose}.jwk`),
  }
}
