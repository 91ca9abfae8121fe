// SPDX-License-Identifier: Apache-2.0
import {
  CapsuleKeys,
  memoryCapsuleSink,
  memorySource,
  openCapsule,
  writeCapsule,
} from '@mlcapsule/capsule-format'
import { cryptoReady, generateSigningKeyPair, keyThumbprint } from '@mlcapsule/crypto'

await cryptoReady()
const publisher = generateSigningKeyPair()
const authority = generateSigningKeyPair()

// The provider packs. On disk: await fileCapsuleSink('model.capsule'), from './node'.
const sink = memoryCapsuleSink()
const weights = new Uint8Array(100_000)
const packed = await writeCapsule(sink, {
  core: {
    modelName: 'Digits',
    modelVersion: 1,
    inputs: [{ name: 'image', dtype: 'float32', shape: ['N', 1, 28, 28] }],
    outputs: [{ name: 'scores', dtype: 'float32', shape: ['N', 10] }],
    minimumTier: 'process',
    authority: [keyThumbprint(authority.publicKey)],
  },
  publisher,
  program: Uint8Array.of(1, 2, 3),
  weights: { sizeBytes: weights.length, chunks: [weights] },
  defenses: [{ name: 'rounding', version: 1, config: { decimals: 3 } }],
})

// The client checks publisher and pages, without a key.
const capsule = await openCapsule(memorySource(sink.bytes()), { publishers: [publisher.publicKey] })
await capsule.verifyTree()

// The enclave, once it was given the content key, opens pages one by one.
const keys = CapsuleKeys.derive(packed.contentKey, capsule.header)
const page = new Uint8Array(capsule.header.pageSizeBytes)
const sealed = await capsule.readPage('weights', 0)
export const sizeBytes: number = await keys.openPageInto(page, sealed, 'weights', 0)
keys.wipe()
