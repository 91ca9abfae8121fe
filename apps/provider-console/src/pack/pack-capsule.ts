// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises'
import {
  type CapsuleHeader,
  type DefenseConfig,
  type ImagePreprocessing,
  openCapsule,
  type WriteProgress,
  writeCapsule,
} from '@mlcapsule/capsule-format'
import { fileCapsuleSink, fileSource } from '@mlcapsule/capsule-format/node'
import type { IsolationTier, TensorSpec } from '@mlcapsule/contracts'
import {
  cryptoReady,
  keyThumbprint,
  type Secret,
  type SigningKeyPair,
  signingKeyPairFrom,
  toBase64Url,
  wipe,
} from '@mlcapsule/crypto'
import { sealContentKey } from '../keys/at-rest.ts'
import { readKeyFile } from '../keys/key-file.ts'
import type { Provider } from '../service/provider.ts'
import { storePaths } from '../store/paths.ts'

/** What the model compiler makes, as far as packing needs it. */
export interface PackableModel {
  readonly program: Uint8Array
  readonly weights: { readonly sizeBytes: number; chunks(): AsyncIterable<Uint8Array> }
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface PackOptions {
  readonly model: PackableModel
  readonly outPath: string
  /** Whether a capsule that is there may be replaced. */
  readonly overwrite?: boolean
  readonly storeDir: string
  /** The file of the publisher key, where it is not the one in the store. */
  readonly publisherKeyFile?: string
  /** Further keys that may sign licenses, besides the store's own. */
  readonly furtherAuthorities?: readonly Uint8Array[]
  readonly name: string
  readonly version: number
  readonly modelId?: string
  readonly labels?: readonly string[] | null
  readonly preprocessing?: ImagePreprocessing | null
  readonly defenses: readonly DefenseConfig[]
  readonly minimumTier: IsolationTier
  readonly keyReleaseUrl?: string | null
  readonly pageSizeBytes?: number
  readonly onProgress?: (progress: WriteProgress) => void
}

export interface PackedCapsule {
  readonly header: CapsuleHeader
  readonly sizeBytes: number
}

interface PackKeys {
  readonly service: Secret<'prk'>
  readonly publisher: SigningKeyPair
  readonly authorityKey: Uint8Array
}

async function readKeys(options: PackOptions): Promise<PackKeys> {
  const paths = storePaths(options.storeDir)
  const service = await readKeyFile(paths.privateKey('service'), 'service')
  const publisherKeyFile = options.publisherKeyFile ?? paths.privateKey('publisher')
  const publisher = signingKeyPairFrom(await readKeyFile(publisherKeyFile, 'publisher'))
  const authority = signingKeyPairFrom(await readKeyFile(paths.privateKey('authority'), 'authority'))
  wipe(authority.privateKey)
  return { service, publisher, authorityKey: authority.publicKey }
}

/**
 * Packs a compiled model into a capsule file and takes its content key, sealed, into the store. Either both are there
 * afterward or neither.
 * @throws CapsuleFormatError `CAPSULE_OPTIONS_INVALID`, `CAPSULE_FILE_EXISTS`, `CAPSULE_WRITE_FAILED`; ProviderError
 */
export async function packCapsule(provider: Provider, options: PackOptions): Promise<PackedCapsule> {
  await cryptoReady()
  const keys = await readKeys(options)
  try {
    return await writeAndRegister(provider, options, keys)
  } finally {
    wipe(keys.service)
    wipe(keys.publisher.privateKey)
  }
}

async function writeAndRegister(
  provider: Provider,
  options: PackOptions,
  keys: PackKeys,
): Promise<PackedCapsule> {
  const { model, outPath } = options
  const authorities = [keys.authorityKey, ...(options.furtherAuthorities ?? [])].map(keyThumbprint)
  const sink = await fileCapsuleSink(outPath, { overwrite: options.overwrite ?? false })
  const packed = await writeCapsule(sink, {
    core: {
      modelName: options.name,
      modelVersion: options.version,
      ...(options.modelId === undefined ? {} : { modelId: options.modelId }),
      inputs: model.inputs,
      outputs: model.outputs,
      preprocessing: options.preprocessing ?? null,
      labels: options.labels ?? null,
      minimumTier: options.minimumTier,
      keyReleaseUrl: options.keyReleaseUrl ?? null,
      authority: [...new Set(authorities)],
    },
    publisher: keys.publisher,
    program: model.program,
    weights: { sizeBytes: model.weights.sizeBytes, chunks: () => model.weights.chunks() },
    defenses: options.defenses,
    ...(options.pageSizeBytes === undefined ? {} : { pageSizeBytes: options.pageSizeBytes }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  })
  try {
    const sealed = await sealContentKey(keys.service, packed.capsuleId, packed.contentKey)
    await provider.registerCapsule({
      prefix: toBase64Url(await readPrefix(outPath)),
      sealedContentKey: toBase64Url(sealed),
      defenses: options.defenses.map(({ name, version }) => ({ name, version })),
    })
    return { header: packed.header, sizeBytes: packed.sizeBytes }
  } catch (error) {
    // Without its key in the store nobody could ever open it.
    await rm(outPath, { force: true })
    throw error
  } finally {
    wipe(packed.contentKey)
  }
}

async function readPrefix(path: string): Promise<Uint8Array> {
  const source = await fileSource(path)
  try {
    return (await openCapsule(source, { publishers: 'any-unverified-publisher' })).prefix
  } finally {
    await source.close?.()
  }
}
