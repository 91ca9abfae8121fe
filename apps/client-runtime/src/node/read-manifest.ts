// SPDX-License-Identifier: Apache-2.0
import { type EnclaveManifest, parseManifest } from '@mlcapsule/attestation'
import { ClientError } from '../errors.ts'
import { readSmallFile } from './files.ts'

const manifestMaxSizeBytes = 65_536

/** Reads the manifest of an enclave. @throws ClientError `CLIENT_FILE_*`; AttestationError `ATTESTATION_MANIFEST_INVALID` */
export async function readManifest(path: string): Promise<EnclaveManifest> {
  const text = new TextDecoder().decode(await readSmallFile(path, manifestMaxSizeBytes))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ClientError('CLIENT_FILE_INVALID', `${path} is not JSON`, { field: path, cause })
  }
  return parseManifest(value)
}
