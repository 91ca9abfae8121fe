// SPDX-License-Identifier: Apache-2.0

/** Size of the nonce. */
export const aeadNonceSizeBytes = 12
/** Size of the tag that follows the ciphertext. */
export const aeadTagSizeBytes = 16

/**
 * One implementation of AES-256-GCM (NIST SP 800-38D). All implementations give the same bytes; a platform passes the
 * fastest one it trusts. Called through `sealAead` and `openAead`, which check sizes, turn failures into one code, and
 * copy what lies in shared memory: no other thread can change an input between two reads of it.
 */
export interface AeadProvider {
  readonly name: string
  /** @returns ciphertext followed by the tag */
  seal(
    key: Uint8Array<ArrayBuffer>,
    nonce: Uint8Array<ArrayBuffer>,
    associatedData: Uint8Array<ArrayBuffer>,
    plaintext: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array>
  /**
   * Writes the plaintext to the start of `destination`, and only after the tag has verified.
   * @returns whether it verified; if not, `destination` is untouched
   */
  openInto(
    destination: Uint8Array,
    key: Uint8Array<ArrayBuffer>,
    nonce: Uint8Array<ArrayBuffer>,
    associatedData: Uint8Array<ArrayBuffer>,
    sealed: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>
}
