// SPDX-License-Identifier: Apache-2.0
import { CryptoError, decodeCbor } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import { type CoreInput, encodeCore, readCore } from '../header/core.ts'
import { type BlobLayout, type BlobName, programLayout, weightsLayout } from '../layout/geometry.ts'
import { capsuleLimits, defaultPageSizeBytes } from '../limits.ts'
import { decodeProgramBlob, encodeProgramBlob } from '../program/program-blob.ts'
import { defaultModelId, type WriteCapsuleOptions } from './options.ts'

/** What the outer map adds to the core: keys, lengths, commitment and root. */
const outerMapMaxSizeBytes = 77

/** All that is decided before the first page is written. */
export interface WritePlan {
  readonly capsuleId: Uint8Array
  readonly coreBytes: Uint8Array
  readonly blobs: Readonly<Record<BlobName, BlobLayout>>
  /** The program blob with its padding. The writer wipes it. */
  readonly programBlob: Uint8Array
}

/**
 * Validates the options by the reader's own rules, so that nothing is written that would be refused when read.
 * @throws CapsuleFormatError `CAPSULE_OPTIONS_INVALID`
 */
export function planCapsule(options: WriteCapsuleOptions, capsuleId: Uint8Array): WritePlan {
  const pageSizeBytes = options.pageSizeBytes ?? defaultPageSizeBytes
  const { sizeBytes } = options.weights
  if (
    !Number.isSafeInteger(sizeBytes) ||
    sizeBytes < 0 ||
    sizeBytes > capsuleLimits.weightsMaxPaddedSizeBytes
  ) {
    throw invalidOption('weights.sizeBytes', `expected 0 to ${capsuleLimits.weightsMaxPaddedSizeBytes} bytes`)
  }
  assertPageSize(pageSizeBytes)
  const encoded = asOption('defenses', () =>
    encodeProgramBlob({
      program: options.program,
      weightsSizeBytes: sizeBytes,
      defenses: options.defenses ?? [],
      answerPolicy: options.answerPolicy ?? null,
    }),
  )
  const { programMaxPaddedSizeBytes } = capsuleLimits
  if (encoded.length > programMaxPaddedSizeBytes) {
    throw invalidOption(
      'program',
      `at most ${programMaxPaddedSizeBytes} bytes with the defenses, got ${encoded.length}`,
    )
  }
  const blobs = {
    program: programLayout(encoded.length, pageSizeBytes),
    weights: weightsLayout(sizeBytes, pageSizeBytes),
  }
  const programBlob = new Uint8Array(blobs.program.paddedSizeBytes)
  programBlob.set(encoded)
  encoded.fill(0)
  asOption('defenses', () => decodeProgramBlob(programBlob, { blobs }))
  const coreBytes = asOption('core', () => encodeDescription(options, { capsuleId, pageSizeBytes, blobs }))
  return { capsuleId, coreBytes, blobs, programBlob }
}

function encodeDescription(
  options: WriteCapsuleOptions,
  layout: Pick<CoreInput, 'capsuleId' | 'pageSizeBytes' | 'blobs'>,
): Uint8Array {
  const { core } = options
  const publisherKey = options.publisher.publicKey
  const coreBytes = encodeCore({
    ...core,
    modelId: core.modelId ?? defaultModelId(core.modelName),
    preprocessing: core.preprocessing ?? null,
    labels: core.labels ?? null,
    keyReleaseUrl: core.keyReleaseUrl ?? null,
    publisherKey,
    ...layout,
  })
  readCore(decodeCbor(coreBytes, { maxSizeBytes: capsuleLimits.headerMaxSizeBytes - outerMapMaxSizeBytes }))
  return coreBytes
}

/** The same fault has another code when it is the caller's. */
function asOption<Result>(field: string, act: () => Result): Result {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof CapsuleFormatError) {
      const at = cause.field?.startsWith('header.') === true ? `core.${cause.field.slice(7)}` : field
      const detail = cause.message.replace(/^header\./, 'core.')
      throw new CapsuleFormatError('CAPSULE_OPTIONS_INVALID', detail, { field: at, cause })
    }
    // TypeError: a caller without types left a field out.
    if (cause instanceof CryptoError || cause instanceof TypeError)
      throw invalidOption(field, cause.message, cause)
    throw cause
  }
}

function assertPageSize(pageSizeBytes: number): void {
  const { pageMinSizeBytes, pageMaxSizeBytes } = capsuleLimits
  const isInRange = pageSizeBytes >= pageMinSizeBytes && pageSizeBytes <= pageMaxSizeBytes
  if (isInRange && Number.isInteger(Math.log2(pageSizeBytes))) return
  throw invalidOption(
    'pageSizeBytes',
    `expected a power of two from ${pageMinSizeBytes} to ${pageMaxSizeBytes}`,
  )
}

function invalidOption(field: string, detail: string, cause?: unknown): CapsuleFormatError {
  return new CapsuleFormatError('CAPSULE_OPTIONS_INVALID', `${field}: ${detail}`, { field, cause })
}
