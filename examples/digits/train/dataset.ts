// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DigitsError } from './errors.ts'

/** Rows and columns of one image. */
export const imageSide = 28
/** Pixels of one image. */
export const imagePixelCount: number = imageSide * imageSide
/** Digits 0 to 9. */
export const classCount = 10

/** A set of labeled images; `pixels` holds 784 bytes per image, row by row, ink high. */
export interface DigitSet {
  readonly count: number
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

const largestFileSizeBytes = 64 * 1024 * 1024
const imagesMagic = 0x803
const labelsMagic = 0x801

/**
 * Finds the folder with the MNIST files.
 * @param repositoryRoot where the project's checkout is; `../shared` beside it is the fallback
 * @returns the folder, or `undefined` where the data is not installed
 */
export function findMnistFolder(repositoryRoot: string): string | undefined {
  const shared = process.env.MLCAPSULE_SHARED_DIR ?? join(repositoryRoot, '..', 'shared')
  const folder = join(shared, 'datasets', 'mnist')
  return existsSync(join(folder, 't10k-labels-idx1-ubyte.gz')) ? folder : undefined
}

/**
 * Reads `<name>-images-idx3-ubyte.gz` and `<name>-labels-idx1-ubyte.gz`.
 * @throws DigitsError `DIGITS_DATASET_MISSING`, `DIGITS_DATASET_MALFORMED`
 */
export function readDigitSet(folder: string, name: 't10k' | 'train10k'): DigitSet {
  return parseDigitSet(
    readGzip(join(folder, `${name}-images-idx3-ubyte.gz`)),
    readGzip(join(folder, `${name}-labels-idx1-ubyte.gz`)),
  )
}

/**
 * Parses an idx pair: big-endian u32 magic, count (and rows, columns), then one byte per value.
 * @throws DigitsError `DIGITS_DATASET_MALFORMED`
 * @see Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats
 */
export function parseDigitSet(images: Uint8Array, labels: Uint8Array): DigitSet {
  const imageHeader = readHeader(images, 'images', imagesMagic, 3)
  const labelHeader = readHeader(labels, 'labels', labelsMagic, 1)
  const [count = 0, rows = 0, columns = 0] = imageHeader
  if (rows !== imageSide || columns !== imageSide) {
    throw malformed('images', `28x28 pixels, got ${rows}x${columns}`)
  }
  if (labelHeader[0] !== count) {
    throw malformed('labels', `${count} labels, one for each image, got ${labelHeader[0]}`)
  }
  const set: DigitSet = { count, pixels: images.subarray(16), labels: labels.subarray(8) }
  if (set.pixels.length !== count * imagePixelCount) {
    throw malformed('images', `${count * imagePixelCount} bytes of pixels, got ${set.pixels.length}`)
  }
  if (set.labels.length !== count) throw malformed('labels', `${count} bytes, got ${set.labels.length}`)
  const wrongLabel = set.labels.find((label) => label >= classCount)
  if (wrongLabel !== undefined) throw malformed('labels', `labels 0 to 9, got ${wrongLabel}`)
  return set
}

/** The images `from` (inclusive) to `to` (exclusive), sharing the memory of `set`. */
export function sliceDigitSet(set: DigitSet, from: number, to: number): DigitSet {
  return {
    count: to - from,
    pixels: set.pixels.subarray(from * imagePixelCount, to * imagePixelCount),
    labels: set.labels.subarray(from, to),
  }
}

function readHeader(bytes: Uint8Array, field: string, magic: number, rank: number): number[] {
  const headerSizeBytes = 4 + 4 * rank
  if (bytes.length < headerSizeBytes) {
    throw malformed(field, `a header of ${headerSizeBytes} bytes, got ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== magic) {
    throw malformed(field, `magic 0x${magic.toString(16)}, got 0x${view.getUint32(0).toString(16)}`)
  }
  return Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
}

function readGzip(path: string): Uint8Array {
  if (!existsSync(path))
    throw new DigitsError('DIGITS_DATASET_MISSING', `no file at ${path}`, { field: 'path' })
  try {
    return gunzipSync(readFileSync(path), { maxOutputLength: largestFileSizeBytes })
  } catch (cause) {
    throw new DigitsError('DIGITS_DATASET_MALFORMED', `${path} is not a gzip file of at most 64 MiB`, {
      field: 'path',
      cause,
    })
  }
}

function malformed(field: string, expectedAndGot: string): DigitsError {
  return new DigitsError('DIGITS_DATASET_MALFORMED', `${field}: expected ${expectedAndGot}`, { field })
}
