// SPDX-License-Identifier: Apache-2.0
import {
  type AeadProvider,
  concatBytes,
  deriveCommitment,
  deriveSubkey,
  domain,
  equalBytes,
  expose,
  hkdfExtract,
  labeledHash,
  openAeadInto,
  type Secret,
  sealAead,
  uint32Bytes,
  uint64Bytes,
  wipe,
} from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import type { CapsuleHeader } from '../header/types.ts'
import { type BlobLayout, type BlobName, blobNumbers, sealedPageSizeBytes } from '../layout/geometry.ts'

const noContext = new Uint8Array(0)
const noncePrefix = new Uint8Array(4)
const nonceSizeBytes = 12

/** What page keys and associated data depend on. */
export type KeyedHeader = Pick<CapsuleHeader, 'capsuleId' | 'blobs' | 'coreBytes'>

/** What opens the pages of one blob, all lists in the order of the pages. */
export interface PageSeals {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 12 bytes for each page. */
  readonly nonces: Uint8Array
  /** Equally many bytes for each page. */
  readonly associatedData: Uint8Array
}

/** The keys of one capsule, derived from its content key. Wipe them when the session ends. */
export class CapsuleKeys {
  readonly #header: KeyedHeader
  readonly #pageKeys: Readonly<Record<BlobName, Secret<'page-key'>>>
  /** KDF(PRK, "commit", ""), 32 bytes, public. */
  readonly commit: Uint8Array

  private constructor(
    header: KeyedHeader,
    pageKeys: Record<BlobName, Secret<'page-key'>>,
    commit: Uint8Array,
  ) {
    this.#header = header
    this.#pageKeys = pageKeys
    this.commit = commit
  }

  /**
   * Derives the keys, and checks that the header commits to this content key before any of them opens a page: GCM alone
   * does not tell which key made a ciphertext.
   * @throws CapsuleFormatError `CAPSULE_KEY_MISMATCH`
   */
  static derive(contentKey: Secret<'content-key'>, header: CapsuleHeader): CapsuleKeys {
    const keys = CapsuleKeys.deriveUnchecked(contentKey, header)
    if (equalBytes(keys.commit, header.commit)) return keys
    keys.wipe()
    throw new CapsuleFormatError(
      'CAPSULE_KEY_MISMATCH',
      'the content key is not the one that this header commits to',
    )
  }

  /** For the writer, whose header is still to be made. */
  static deriveUnchecked(contentKey: Secret<'content-key'>, header: KeyedHeader): CapsuleKeys {
    // A changed core changes every key.
    const prk = hkdfExtract(labeledHash('core', header.coreBytes), contentKey)
    const pageKey = (blob: BlobName): Secret<'page-key'> =>
      deriveSubkey(prk, 'blob', Uint8Array.of(blobNumbers[blob]), 'page-key')
    const pageKeys = { program: pageKey('program'), weights: pageKey('weights') }
    const commit = deriveCommitment(prk, 'commit', noContext)
    wipe(prk)
    return new CapsuleKeys(header, pageKeys, commit)
  }

  /**
   * Opens one page into the start of `destination`, which the caller owns and wipes. Nothing is written unless the page
   * is the authentic one for this place.
   * @param sealed ciphertext and tag, whole
   * @param index 0-based place in the blob; it is the nonce and is bound as associated data
   * @param aead WebCrypto when absent
   * @returns size of the plaintext in bytes
   * @throws CryptoError `SEAL_OPEN_FAILED`; CapsuleFormatError `CAPSULE_PAGE_INVALID`
   */
  async openPageInto(
    destination: Uint8Array,
    sealed: Uint8Array,
    blob: BlobName,
    index: number,
    aead?: AeadProvider,
  ): Promise<number> {
    const layout = this.#header.blobs[blob]
    assertPageIndex(layout, blob, index)
    assertPageSize(blob, sealed, sealedPageSizeBytes(layout), 'sealed')
    return await openAeadInto(destination, {
      ...this.#context(blob, index),
      ...(aead && { provider: aead }),
      sealed,
    })
  }

  /**
   * Seals one page of exactly the blob's page size. Each place may be sealed once under one content key.
   * @throws CapsuleFormatError `CAPSULE_PAGE_INVALID`
   */
  async sealPage(
    plaintext: Uint8Array,
    blob: BlobName,
    index: number,
    aead?: AeadProvider,
  ): Promise<Uint8Array> {
    const layout = this.#header.blobs[blob]
    assertPageIndex(layout, blob, index)
    assertPageSize(blob, plaintext, layout.pageSizeBytes, 'plaintext')
    return await sealAead({ ...this.#context(blob, index), ...(aead && { provider: aead }), plaintext })
  }

  /**
   * Lends what opens the pages of a blob to code outside of JavaScript. The key that `use` is given is a copy, wiped when
   * it returns.
   */
  lend<Result>(blob: BlobName, use: (seals: PageSeals) => Result): Result {
    const { pageCount } = this.#header.blobs[blob]
    const nonces = new Uint8Array(pageCount * nonceSizeBytes)
    const associatedData = new Uint8Array(pageCount * this.#context(blob, 0).associatedData.length)
    for (let index = 0; index < pageCount; index++) {
      const context = this.#context(blob, index)
      nonces.set(context.nonce, index * nonceSizeBytes)
      associatedData.set(context.associatedData, index * context.associatedData.length)
    }
    const key = expose(this.#pageKeys[blob], 'page-key').slice()
    try {
      return use({ key, nonces, associatedData })
    } finally {
      key.fill(0)
    }
  }

  wipe(): void {
    wipe(this.#pageKeys.program)
    wipe(this.#pageKeys.weights)
  }

  #context(
    blob: BlobName,
    index: number,
  ): { key: Secret<'page-key'>; nonce: Uint8Array; associatedData: Uint8Array } {
    const { pageCount, pageSizeBytes } = this.#header.blobs[blob]
    const place = uint64Bytes(index)
    return {
      key: this.#pageKeys[blob],
      nonce: concatBytes(noncePrefix, place),
      associatedData: concatBytes(
        domain('page'),
        this.#header.capsuleId,
        Uint8Array.of(blobNumbers[blob]),
        uint64Bytes(pageCount),
        place,
        Uint8Array.of(index === pageCount - 1 ? 1 : 0),
        uint32Bytes(pageSizeBytes),
      ),
    }
  }
}

function assertPageSize(blob: BlobName, page: Uint8Array, sizeBytes: number, field: string): void {
  if (page.length === sizeBytes) return
  const detail = `a page of the ${blob} blob has ${sizeBytes} bytes, got ${page.length}`
  throw new CapsuleFormatError('CAPSULE_PAGE_INVALID', detail, { field })
}

/** @throws CapsuleFormatError `CAPSULE_PAGE_INVALID` */
export function assertPageIndex(layout: BlobLayout, blob: BlobName, index: number, count: number = 1): void {
  const isWhole = Number.isSafeInteger(index) && Number.isSafeInteger(count)
  if (isWhole && index >= 0 && count >= 1 && index + count <= layout.pageCount) return
  const detail = `the ${blob} blob has ${layout.pageCount} pages, asked for ${count} from ${index}`
  throw new CapsuleFormatError('CAPSULE_PAGE_INVALID', detail, { field: 'index' })
}
