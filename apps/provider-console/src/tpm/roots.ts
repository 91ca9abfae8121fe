// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describeEkRoot, type EkRoot, readEkRoots } from '@mlcapsule/attestation/tpm'
import { ProviderError } from '../errors.ts'
import { readSmallFile, writeWholeFile } from '../files/files.ts'
import { listFiles, makeStoreFolder, removeFile } from '../files/folder.ts'
import { storePaths } from '../store/paths.ts'

const rootFile = /^[0-9a-f]{64}\.der$/
const rootMaxSizeBytes = 8192
/** As many as a policy's section names. */
const rootsMaxCount = 64

/** Roots of makers of TPMs whose word a store takes, as certificates in a folder. */
export interface TpmRoots {
  /**
   * Takes in the roots of files, all of them or none.
   * @param files PEM, or DER
   * @throws AttestationError as `readEkRoots` does; ProviderError `PROVIDER_TPM_FULL`, `PROVIDER_STORE_EXPOSED`, `PROVIDER_FILE_*`
   */
  trust(files: readonly Uint8Array[], nowMs: number): Promise<readonly EkRoot[]>
  /** SHA-256 of the SubjectPublicKeyInfo of each, ascending. @throws ProviderError `PROVIDER_FILE_UNREADABLE` */
  pins(): Promise<readonly string[]>
  /** In the same order. @throws ProviderError `PROVIDER_FILE_*`, `PROVIDER_FILE_INVALID` for one that is not of its name */
  list(): Promise<readonly EkRoot[]>
  /** @throws ProviderError `PROVIDER_TPM_ROOT_UNKNOWN` */
  forget(spkiSha256: string): Promise<void>
}

export function tpmRoots(storeDir: string): TpmRoots {
  const dir = storePaths(storeDir).tpmRootsDir
  const pathOf = (spkiSha256: string) => join(dir, `${spkiSha256}.der`)
  const pins = async () => (await listFiles(dir, rootFile)).map((it) => it.slice(0, 64))
  return {
    pins,
    async trust(files, nowMs) {
      const roots = (await Promise.all(files.map((it) => readEkRoots(it, nowMs)))).flat()
      const all = new Set([...(await pins()), ...roots.map(({ spkiSha256 }) => spkiSha256)])
      if (all.size > rootsMaxCount) {
        const detail = `a store holds at most ${rootsMaxCount} roots of makers of TPMs`
        throw new ProviderError('PROVIDER_TPM_FULL', detail, { field: dir })
      }
      await makeStoreFolder(storeDir, dir)
      for (const { spkiSha256, der } of roots)
        await writeWholeFile(pathOf(spkiSha256), der, { mode: 0o600, replace: true })
      return roots
    },
    async list() {
      return await Promise.all((await pins()).map((it) => readRoot(pathOf(it), it)))
    },
    async forget(spkiSha256) {
      if ((await pins()).includes(spkiSha256) && (await removeFile(pathOf(spkiSha256)))) return
      const detail = 'no root with this key is trusted'
      throw new ProviderError('PROVIDER_TPM_ROOT_UNKNOWN', detail, { field: 'spki' })
    },
  }
}

async function readRoot(path: string, pin: string): Promise<EkRoot> {
  const root = describeEkRoot(await readSmallFile(path, rootMaxSizeBytes))
  if (root.spkiSha256 === pin) return root
  throw new ProviderError('PROVIDER_FILE_INVALID', `${path} holds another root than its name says`, {
    field: path,
  })
}
