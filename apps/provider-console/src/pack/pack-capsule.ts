// SPDX-License-Identifier: Apache-2.0
import {
  type CapsuleHeader,
  type CapsuleSink,
  type DefenseConfig,
  type ImagePreprocessing,
  type PackResult,
  type WriteProgress,
  writeCapsule,
} from '@mlcapsule/capsule-format'
import { fileCapsuleSink } from '@mlcapsule/capsule-format/node'
import { type IsolationTier, releaseMemory, type TensorSpec } from '@mlcapsule/contracts'
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
  /** Each chunk is in memory of its own, which is released once it is packed. */
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
  /** Stops the packing before its next part of the weights. */
  readonly signal?: AbortSignal
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
  try {
    const authority = signingKeyPairFrom(await readKeyFile(paths.privateKey('authority'), 'authority'))
    wipe(authority.privateKey)
    const publisherKeyFile = options.publisherKeyFile ?? paths.privateKey('publisher')
    const publisher = signingKeyPairFrom(await readKeyFile(publisherKeyFile, 'publisher'))
    return { service, publisher, authorityKey: authority.publicKey }
  } catch (error) {
    wipe(service)
    throw error
  }
}

/**
 * Packs a compiled model into a capsule file and takes its content key, sealed, into the store: first the key, then the
 * file, which appears whole. After a failure what was at the path is there as before; at worst, the store has a key that
 * no capsule needs.
 * @throws CapsuleFormatError `CAPSULE_OPTIONS_INVALID`, `CAPSULE_FILE_EXISTS`, `CAPSULE_WRITE_FAILED`, the last also when
 * it is told to stop; ProviderError
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
  const file = await fileCapsuleSink(outPath, { overwrite: options.overwrite ?? false })
  try {
    let prefix: Uint8Array | undefined
    const sink: CapsuleSink = {
      async write(offsetBytes, bytes) {
        if (offsetBytes === 0) prefix = bytes.slice()
        await file.write(offsetBytes, bytes)
      },
      // A capsule whose key is not in the store could never be opened: it does not appear before.
      commit: () => Promise.resolve(),
      abort: file.abort,
    }
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
      weights: {
        sizeBytes: model.weights.sizeBytes,
        chunks: () => untilStopped(model.weights.chunks(), options.signal),
      },
      defenses: options.defenses,
      ...(options.pageSizeBytes === undefined ? {} : { pageSizeBytes: options.pageSizeBytes }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    })
    await register(provider, options, keys, packed, prefix as Uint8Array)
    await file.commit()
    return { header: packed.header, sizeBytes: packed.sizeBytes }
  } catch (error) {
    await file.abort().catch(() => undefined)
    throw error
  }
}

async function register(
  provider: Provider,
  { defenses }: PackOptions,
  { service }: PackKeys,
  { capsuleId, contentKey }: PackResult,
  prefix: Uint8Array,
): Promise<void> {
  try {
    await provider.registerCapsule({
      prefix: toBase64Url(prefix),
      sealedContentKey: toBase64Url(await sealContentKey(service, capsuleId, contentKey)),
      defenses: defenses.map(({ name, version }) => ({ name, version })),
    })
  } finally {
    wipe(contentKey)
  }
}

async function* untilStopped(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    yield chunk
    // Its bytes are in a page by now.
    releaseMemory(chunk)
  }
}
