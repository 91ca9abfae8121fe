// SPDX-License-Identifier: Apache-2.0

/** One cipher in one implementation, at one depth of pipelining. Ciphertexts end with a 16-byte tag. */
export interface Contender {
  readonly name: string
  /** Contenders of one family give the same bytes. */
  readonly family: 'aes-256-gcm' | 'xchacha20-poly1305'
  /** Pages that are worked on at a time. */
  readonly inFlight: number
  seal(page: Uint8Array): Promise<Uint8Array> | Uint8Array
  open(sealed: Uint8Array): Promise<Uint8Array> | Uint8Array
}

export const keyBytes: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(7)
export const nonceBytes: Uint8Array<ArrayBuffer> = new Uint8Array(24).fill(9)
export const associatedData: Uint8Array<ArrayBuffer> = new Uint8Array(80).fill(3)
