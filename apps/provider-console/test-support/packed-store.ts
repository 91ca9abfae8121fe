// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { toBase64Url } from '@mlcapsule/crypto'
import { makeKeys } from '../src/keys/keygen.ts'
import { readPublicKey } from '../src/keys/public-key.ts'
import { type PackedCapsule, type PackOptions, packCapsule } from '../src/pack/pack-capsule.ts'
import { openProvider } from '../src/service/provider.ts'
import { storePaths } from '../src/store/paths.ts'

const bytes = (sizeBytes: number) => Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251)

/** Something to pack: the packer looks at neither program nor weights. */
export const opaqueModel: PackOptions['model'] = {
  program: bytes(300),
  weights: {
    sizeBytes: 10_000,
    async *chunks() {
      yield bytes(6000)
      yield bytes(4000)
    },
  },
  inputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 1, 28, 28] }],
  outputs: [{ name: 'scores', dtype: 'float32', shape: ['batch', 10] }],
}

export const devPolicy = {
  version: 1,
  name: 'development',
  minimumTier: 'sgx',
  allowUnattested: ['worker'],
  manifests: 'any',
  maxEvidenceAgeSeconds: 'any',
  simulatedRoots: 'any',
  referenceSigners: [],
  platforms: {},
  tcbStatuses: 'any',
  advisories: 'any',
  debug: false,
} as const

export interface PackedStore {
  readonly storeDir: string
  readonly capsulePath: string
  readonly packed: PackedCapsule
  readonly capsuleId: string
  readonly authorityKey: Uint8Array
  readonly headerHash: Uint8Array
}

/** A store with keys and one packed capsule. */
export async function makePackedStore(dir: string): Promise<PackedStore> {
  const storeDir = join(dir, 'store')
  await makeKeys(storeDir)
  const capsulePath = join(dir, 'model.capsule')
  const provider = await openProvider({ storeDir })
  try {
    const packed = await packCapsule(provider, {
      model: opaqueModel,
      outPath: capsulePath,
      storeDir,
      name: 'Digits',
      version: 3,
      defenses: [{ name: 'rounding', version: 1, config: { decimals: 2 } }],
      minimumTier: 'simulated',
      pageSizeBytes: 4096,
    })
    const source = await fileSource(capsulePath)
    const { headerHash } = await openCapsule(source, { publishers: 'any-unverified-publisher' })
    await source.close?.()
    const authorityKey = await readPublicKey(storePaths(storeDir).publicKey('authority'))
    const capsuleId = toBase64Url(packed.header.capsuleId)
    return { storeDir, capsulePath, packed, capsuleId, authorityKey, headerHash }
  } finally {
    await provider.close()
  }
}
