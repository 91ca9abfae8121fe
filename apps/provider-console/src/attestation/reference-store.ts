// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import {
  AttestationError,
  type AttestationPolicy,
  encodeTokenFile,
  type ReferenceValue,
  readReference,
  verifyReference,
} from '@mlcapsule/attestation'
import { CryptoError, sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { makePrivateFolder, readTokenFile, writeWholeFile } from '../files/files.ts'
import { listFiles } from '../files/folder.ts'

const tokenFile = /^[0-9a-f]{64}\.jws$/
const tokensMaxCount = 1024

/** Reference values that a store holds, as tokens in a folder. What they are worth, a policy's `referenceSigners` say. */
export interface ReferenceStore {
  /** Takes in a token that verifies under the key that it names itself. @throws AttestationError, CryptoError, ProviderError */
  add(token: string): Promise<ReferenceValue>
  /** In the order of their digests. @throws ProviderError `PROVIDER_FILE_*` */
  tokens(): Promise<readonly string[]>
  /** Those by signers whom the policy names; what others say is left out. @throws ProviderError `PROVIDER_FILE_*` */
  trustedBy(policy: AttestationPolicy): Promise<readonly ReferenceValue[]>
}

/** @param dir made when something is first added */
export function referenceStore(dir: string): ReferenceStore {
  const list = () => listFiles(dir, tokenFile)
  const tokens = async () => await Promise.all((await list()).map((it) => readTokenFile(join(dir, it))))
  return {
    tokens,
    async add(token) {
      const value = await readReference(token)
      if ((await list()).length >= tokensMaxCount) {
        const detail = `${dir} holds ${tokensMaxCount} reference values already`
        throw new ProviderError('PROVIDER_FILE_INVALID', detail, { field: dir })
      }
      await makePrivateFolder(dir)
      const path = join(dir, `${toHex(sha256(utf8Bytes(token)))}.jws`)
      await writeWholeFile(path, encodeTokenFile(token), { replace: true })
      return value
    },
    async trustedBy({ referenceSigners }) {
      const verified = await Promise.all((await tokens()).map((it) => verifiedOr(it, referenceSigners)))
      return verified.flatMap((it) => (it === undefined ? [] : [it]))
    },
  }
}

async function verifiedOr(token: string, signers: readonly string[]): Promise<ReferenceValue | undefined> {
  try {
    return await verifyReference(token, signers)
  } catch (error) {
    if (error instanceof AttestationError || error instanceof CryptoError) return undefined
    throw error
  }
}
