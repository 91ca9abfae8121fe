// SPDX-License-Identifier: Apache-2.0
import {
  type BlobName,
  type CapsuleHeader,
  type CapsuleKeys,
  sealedPageSizeBytes,
} from '@mlcapsule/capsule-format'
import { type AeadProvider, wipe } from '@mlcapsule/crypto'
import { BridgeError, bridgeLimits } from '@mlcapsule/enclave-bridge/protocol'
import type { SealedWeights, WeightSource } from '@mlcapsule/inference-kernels'
import type { Host } from './host.ts'

/** Ciphertext that is asked for at once when pages are read in order. */
const defaultBatchSizeBytes = 4_194_304

export interface PageReaderOptions {
  readonly header: CapsuleHeader
  readonly keys: CapsuleKeys
  readonly host: Host
  readonly aead?: AeadProvider | undefined
  /** Ciphertext that is asked for at once; one page at least. */
  readonly batchSizeBytes?: number
}

/** Reads one blob of the capsule in order, page by page, through the host. Every page is opened before anything uses it. */
export class PageReader {
  readonly #options: PageReaderOptions
  readonly #blob: BlobName
  readonly pageSizeBytes: number
  readonly pageCount: number
  /** Sealed pages that have arrived and not been opened; the first has index `#firstSealed`. */
  #sealed: readonly Uint8Array[] = []
  #firstSealed: number = 0

  constructor(blob: BlobName, options: PageReaderOptions) {
    this.#blob = blob
    this.#options = options
    const { pageSizeBytes, pageCount } = options.header.blobs[blob]
    this.pageSizeBytes = pageSizeBytes
    this.pageCount = pageCount
  }

  /**
   * Opens a page.
   * @param destination at least a page
   * @throws BridgeError `ENCLAVE_PAGE_INVALID`; CryptoError `SEAL_OPEN_FAILED`
   */
  async readInto(destination: Uint8Array, index: number): Promise<void> {
    const { keys, aead } = this.#options
    const sealed = await this.#sealedPage(index)
    await keys.openPageInto(destination, sealed, this.#blob, index, aead)
  }

  async #sealedPage(index: number): Promise<Uint8Array> {
    const held = this.#sealed[index - this.#firstSealed]
    if (held !== undefined) return held
    const { header, host, batchSizeBytes = defaultBatchSizeBytes } = this.#options
    const sealedSizeBytes = sealedPageSizeBytes(header.blobs[this.#blob])
    const fitting = Math.max(1, Math.floor(batchSizeBytes / sealedSizeBytes))
    const count = Math.min(bridgeLimits.pagesPerCallMaxCount, fitting, this.pageCount - index)
    const pages = await host.readPages(this.#blob, index, count)
    if (pages.length !== count || pages.some((it) => it.length !== sealedSizeBytes)) {
      const detail = `asked for ${count} pages of ${sealedSizeBytes} bytes`
      throw new BridgeError('ENCLAVE_PAGE_INVALID', detail, {
        field: 'pages',
        numbers: [index, count, pages.length],
      })
    }
    this.#sealed = pages
    this.#firstSealed = index
    return pages[0] as Uint8Array
  }
}

/** Opens a whole blob. The caller wipes it. */
export async function readBlob(reader: PageReader): Promise<Uint8Array> {
  const bytes = new Uint8Array(reader.pageCount * reader.pageSizeBytes)
  try {
    for (let index = 0; index < reader.pageCount; index++) {
      await reader.readInto(bytes.subarray(index * reader.pageSizeBytes), index)
    }
    return bytes
  } catch (error) {
    wipe(bytes)
    throw error
  }
}

/**
 * Weights straight from the capsule's pages into the kernels' memory: by kernels that read the capsule's file, or through
 * the door, where a page that lies wholly within the wanted stretch is opened in place, others through one page of scratch.
 */
export class PagedWeights implements WeightSource {
  readonly sizeBytes: number
  readonly sealed?: SealedWeights
  readonly #reader: PageReader
  readonly #scratch: Uint8Array
  readonly #onProgress: (doneBytes: number) => void
  #scratchIndex: number = -1

  constructor(
    reader: PageReader,
    sizeBytes: number,
    onProgress: (doneBytes: number) => void,
    withSealed?: SealedWeights['withSealed'],
  ) {
    const { pageSizeBytes } = reader
    this.sizeBytes = sizeBytes
    if (withSealed !== undefined) this.sealed = { pageSizeBytes, withSealed, onOpened: onProgress }
    this.#reader = reader
    this.#scratch = new Uint8Array(pageSizeBytes)
    this.#onProgress = onProgress
  }

  async readInto(offsetBytes: number, target: Uint8Array): Promise<void> {
    const { pageSizeBytes } = this.#reader
    let doneBytes = 0
    while (doneBytes < target.length) {
      const index = Math.floor((offsetBytes + doneBytes) / pageSizeBytes)
      const withinBytes = (offsetBytes + doneBytes) % pageSizeBytes
      const rest = target.subarray(doneBytes)
      if (withinBytes === 0 && rest.length >= pageSizeBytes) {
        await this.#reader.readInto(rest, index)
        doneBytes += pageSizeBytes
      } else {
        if (index !== this.#scratchIndex) await this.#reader.readInto(this.#scratch, index)
        this.#scratchIndex = index
        const piece = this.#scratch.subarray(withinBytes, withinBytes + rest.length)
        rest.set(piece)
        doneBytes += piece.length
      }
    }
    this.#onProgress(offsetBytes + target.length)
  }

  wipe(): void {
    wipe(this.#scratch)
    this.#scratchIndex = -1
  }
}
