// SPDX-License-Identifier: Apache-2.0
import { type Capsule, openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { CapsuleRecords } from './capsule-records.ts'
import type { StateDir } from './state-dir.ts'

/**
 * Opens a capsule and the client's papers of it, without an enclave.
 * @throws CapsuleFormatError `CAPSULE_*`
 */
export async function openRecords(
  path: string,
  state: StateDir,
  publishers: readonly Uint8Array[],
): Promise<{ readonly header: Capsule['header']; readonly records: CapsuleRecords }> {
  const source = await fileSource(path)
  try {
    const { header } = await openCapsule(source, { publishers })
    return { header, records: new CapsuleRecords(state.capsule(header.capsuleId)) }
  } finally {
    await source.close?.()
  }
}
