// SPDX-License-Identifier: Apache-2.0
import { classDimension, dtypes, type IsolationTier, maxRank, type TensorSpec } from '@mlcapsule/contracts'
import { encodeCbor, fromBase64Url, keyThumbprint, publicKeySizeBytes, toBase64Url } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import { type BlobLayout, type BlobName, programLayout } from '../layout/geometry.ts'
import { capsuleFormatVersion, capsuleLimits, capsuleSuite } from '../limits.ts'
import {
  assertDistinct,
  invalidField,
  readArray,
  readBytes,
  readChoice,
  readInteger,
  readMap,
  readText,
} from './fields.ts'
import { preprocessingFromCbor, preprocessingToCbor } from './preprocessing.ts'
import type { CapsuleDescription, CapsuleHeader } from './types.ts'
import { assertKeyReleaseUrl } from './url.ts'

/** All public fields but the two that depend on the content key and on the pages. */
export type CapsuleCore = Omit<CapsuleHeader, 'commit' | 'root' | 'coreBytes'>

/** What the writer adds to the description. */
export interface CoreInput extends CapsuleDescription {
  readonly capsuleId: Uint8Array
  readonly publisherKey: Uint8Array
  readonly pageSizeBytes: number
  readonly blobs: Readonly<Record<BlobName, BlobLayout>>
}

/** The number of a tier in the file is its index here. */
const tiers: readonly IsolationTier[] = ['none', 'simulated', 'process', 'sgx', 'tdx', 'sev-snp', 'nitro']

const modelIdPattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/

function tensorsToCbor(specs: readonly TensorSpec[]): unknown {
  return specs.map((spec) => [spec.name, dtypes.indexOf(spec.dtype), spec.shape])
}

function blobToCbor(layout: BlobLayout): unknown {
  return [layout.pageCount, layout.paddedSizeBytes]
}

function thumbprintBytes(thumbprint: string): Uint8Array {
  try {
    return fromBase64Url(thumbprint)
  } catch {
    return invalidField('authority', 'expected the base64url thumbprints of Ed25519 keys')
  }
}

/** Deterministic CBOR of the core. What it encodes is validated by decoding it. */
export function encodeCore(core: CoreInput): Uint8Array {
  const map = new Map<number, unknown>([
    [1, capsuleFormatVersion],
    [2, capsuleSuite],
    [3, core.capsuleId],
    [4, core.modelId],
    [5, core.modelName],
    [6, core.modelVersion],
    [7, tensorsToCbor(core.inputs)],
    [8, tensorsToCbor(core.outputs)],
    [9, preprocessingToCbor(core.preprocessing)],
    [10, core.labels],
    [11, core.publisherKey],
    [12, core.authority.map(thumbprintBytes)],
    [13, core.pageSizeBytes],
    [14, [blobToCbor(core.blobs.program), blobToCbor(core.blobs.weights)]],
    [15, tiers.indexOf(core.minimumTier)],
    [16, core.keyReleaseUrl],
  ])
  return encodeCbor(map)
}

/**
 * Validates a decoded core.
 * @throws CapsuleFormatError `CAPSULE_VERSION_UNSUPPORTED`, `CAPSULE_SUITE_UNSUPPORTED`, `CAPSULE_HEADER_INVALID`
 */
export function readCore(value: unknown): CapsuleCore {
  assertKnownVersion(value)
  const map = readMap(value, 'core', 16)
  const publicKey = readBytes(map.get(11), 'publisher', publicKeySizeBytes)
  const publisher = { publicKey, thumbprint: keyThumbprint(publicKey) }
  const pageSizeBytes = readPageSize(map.get(13))
  const modelName = readText(map.get(5), 'modelName', capsuleLimits.nameMaxSizeBytes)
  const modelId = readText(map.get(4), 'modelId', capsuleLimits.modelIdMaxLength)
  if (!modelIdPattern.test(modelId))
    invalidField('modelId', 'expected lower-case letters, digits, ".", "_" and "-"')
  const keyReleaseUrl =
    map.get(16) === null ? null : readText(map.get(16), 'keyReleaseUrl', capsuleLimits.urlMaxSizeBytes)
  if (keyReleaseUrl !== null) assertKeyReleaseUrl(keyReleaseUrl)
  const outputs = readTensors(map.get(8), 'outputs')
  return {
    formatVersion: capsuleFormatVersion,
    suite: capsuleSuite,
    capsuleId: readBytes(map.get(3), 'capsuleId', 32),
    modelId,
    modelName,
    modelVersion: readInteger(map.get(6), 'modelVersion', 1, capsuleLimits.versionMax),
    inputs: readTensors(map.get(7), 'inputs'),
    outputs,
    preprocessing: preprocessingFromCbor(map.get(9), 'preprocessing'),
    labels: readLabels(map.get(10), outputs),
    publisher,
    authority: readAuthority(map.get(12), publisher.thumbprint),
    pageSizeBytes,
    blobs: readBlobs(map.get(14), pageSizeBytes),
    minimumTier: readChoice(map.get(15), 'minimumTier', tiers),
    keyReleaseUrl,
  }
}

// Before anything else: a later version may have other fields, and should be called by its name.
function assertKnownVersion(value: unknown): void {
  if (!(value instanceof Map)) invalidField('core', 'expected a map with integer keys')
  const version = readInteger(value.get(1), 'formatVersion', 0, capsuleLimits.versionMax)
  if (version !== capsuleFormatVersion) {
    const detail = `format version ${version}; this program reads version ${capsuleFormatVersion}`
    throw new CapsuleFormatError('CAPSULE_VERSION_UNSUPPORTED', detail, { field: 'header.formatVersion' })
  }
  const suite = readInteger(value.get(2), 'suite', 0, capsuleLimits.versionMax)
  if (suite !== capsuleSuite) {
    const detail = `suite ${suite}; this program knows suite ${capsuleSuite}`
    throw new CapsuleFormatError('CAPSULE_SUITE_UNSUPPORTED', detail, { field: 'header.suite' })
  }
}

function readTensors(value: unknown, field: string): readonly TensorSpec[] {
  const specs = readArray(value, field, 1, capsuleLimits.tensorMaxCount).map((item, i) => {
    const [name, dtype, shape] = readArray(item, `${field}[${i}]`, 3, 3)
    return {
      name: readText(name, `${field}[${i}].name`, capsuleLimits.nameMaxSizeBytes),
      dtype: readChoice(dtype, `${field}[${i}].dtype`, dtypes),
      shape: readArray(shape, `${field}[${i}].shape`, 0, maxRank).map((dimension) =>
        typeof dimension === 'string'
          ? readText(dimension, `${field}[${i}].shape`, capsuleLimits.dimensionNameMaxSizeBytes)
          : readInteger(dimension, `${field}[${i}].shape`, 1, capsuleLimits.dimensionMax),
      ),
    }
  })
  assertDistinct(
    specs.map((spec) => spec.name),
    field,
  )
  return specs
}

function readLabels(value: unknown, outputs: readonly TensorSpec[]): readonly string[] | null {
  if (value === null) return null
  const labels = readArray(value, 'labels', 1, capsuleLimits.labelMaxCount).map((label, i) =>
    readText(label, `labels[${i}]`, capsuleLimits.labelMaxSizeBytes),
  )
  const shape = outputs[0]?.shape ?? []
  const classCount = shape[classDimension(shape)]
  if (typeof classCount === 'number' && classCount !== labels.length) {
    invalidField('labels', `the first output has ${classCount} classes, got ${labels.length} labels`)
  }
  return labels
}

function readAuthority(value: unknown, publisherThumbprint: string): readonly string[] {
  const thumbprints = readArray(value, 'authority', 1, capsuleLimits.authorityMaxCount).map((item, i) =>
    toBase64Url(readBytes(item, `authority[${i}]`, 32)),
  )
  assertDistinct(thumbprints, 'authority')
  if (thumbprints.includes(publisherThumbprint)) {
    invalidField('authority', "the publisher's key must not sign licenses as well")
  }
  return thumbprints
}

function readPageSize(value: unknown): number {
  const { pageMinSizeBytes, pageMaxSizeBytes } = capsuleLimits
  const pageSizeBytes = readInteger(value, 'pageSizeBytes', pageMinSizeBytes, pageMaxSizeBytes)
  if ((pageSizeBytes & (pageSizeBytes - 1)) !== 0) invalidField('pageSizeBytes', 'expected a power of two')
  return pageSizeBytes
}

function readBlobs(value: unknown, pageSizeBytes: number): Readonly<Record<BlobName, BlobLayout>> {
  const [program, weights] = readArray(value, 'blobs', 2, 2)
  return {
    program: readBlob(program, 'blobs.program', pageSizeBytes, capsuleLimits.programMaxPaddedSizeBytes, true),
    weights: readBlob(
      weights,
      'blobs.weights',
      pageSizeBytes,
      capsuleLimits.weightsMaxPaddedSizeBytes,
      false,
    ),
  }
}

function readBlob(
  value: unknown,
  field: string,
  pageSizeBytes: number,
  maxPaddedSizeBytes: number,
  isProgram: boolean,
): BlobLayout {
  const [first, second] = readArray(value, field, 2, 2)
  const pageCount = readInteger(first, `${field}.pageCount`, 1, Number.MAX_SAFE_INTEGER)
  const paddedSizeBytes = readInteger(second, `${field}.paddedSizeBytes`, 1, maxPaddedSizeBytes)
  const layout = isProgram
    ? programLayout(paddedSizeBytes, pageSizeBytes)
    : { pageCount: paddedSizeBytes / pageSizeBytes, paddedSizeBytes, pageSizeBytes }
  if (layout.paddedSizeBytes !== paddedSizeBytes || layout.pageCount !== pageCount) {
    invalidField(field, `${pageCount} pages do not make ${paddedSizeBytes} bytes`)
  }
  return layout
}
