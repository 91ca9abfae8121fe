// SPDX-License-Identifier: Apache-2.0

/** Size of the nonce. */
export const aeadNonceSizeBytes = 12
/** Size of the tag that follows the ciphertext. */
export const aeadTagSizeBytes = 16

/**
 * One implementation of AES-256-GCM (NIST SP 800-38D). All implementations give the same bytes; a platform passes the
 * fastest one it trusts. Called through `sealAead` and `openAead`, which check sizes and turn failures into one code.
 */
export interface AeadProvider {
  readonly name: string
  /** @returns ciphertext followed by the tag */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associatedData: Uint8Array,
    plaintext: Uint8Array,
  ): Promise<Uint8Array>
  /**
   * Writes the plaintext to the start of `destination`, and only after the tag has verified.
   * @returns whether it verified; if not, `destination` is untouched
   */
  openInto(
    destination: Uint8Array,
    key: Uint8Array,
    nonce: Uint8Array,
    associatedData: Uint8Array,
    sealed: Uint8Array,
  ): Promise<boolean>
}
