// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '../errors.ts'
import { type SecretKind, secretSizesBytes } from './kinds.ts'

const redacted = '[secret]'

/**
 * Key material that cannot be printed, serialized or mixed up: its bytes are private to this file, every conversion to
 * text gives `[secret]`, structured cloning gives an empty object, and its kind is part of its type.
 */
export class Secret<Kind extends SecretKind = SecretKind> {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #kind: Kind
  #wiped: boolean = false

  private constructor(kind: Kind, bytes: Uint8Array<ArrayBuffer>) {
    this.#kind = kind
    this.#bytes = bytes
  }

  /**
   * Takes a copy of `bytes`; the caller still owns, and wipes, the original.
   * @throws CryptoError `KEY_SIZE_INVALID`
   */
  static fromBytes<const Kind extends SecretKind>(kind: Kind, bytes: Uint8Array): Secret<Kind> {
    const expected = secretSizesBytes[kind]
    if (bytes.length !== expected) {
      const detail = `${kind} has ${expected} bytes, got ${bytes.length}`
      throw new CryptoError('KEY_SIZE_INVALID', detail, { field: kind })
    }
    return new Secret(kind, Uint8Array.from(bytes))
  }

  /** What this secret may be used for. Not an own property, so that cloning copies nothing at all. */
  get kind(): Kind {
    return this.#kind
  }

  /** Whether `wipe` has been called. */
  get wiped(): boolean {
    return this.#wiped
  }

  /** Reached through `expose`, which also fixes the kind at compile time. */
  static expose<Kind extends SecretKind>(secret: Secret<Kind>, kind: Kind): Uint8Array<ArrayBuffer> {
    if (secret.#kind !== kind) {
      const detail = `expected a secret of kind ${kind}, got ${secret.#kind}`
      throw new CryptoError('KEY_KIND_MISMATCH', detail, { field: kind })
    }
    if (secret.#wiped) throw new CryptoError('KEY_WIPED', `the ${kind} has been wiped`, { field: kind })
    return secret.#bytes
  }

  /** Overwrites the bytes. Calling it again does nothing. */
  wipe(): void {
    this.#bytes.fill(0)
    this.#wiped = true
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return redacted
  }
}

/**
 * The live bytes of a secret, for immediate use: never kept, never turned into text.
 * @param kind the kind that the caller needs; another kind is a type error, and refused at run time
 * @throws CryptoError `KEY_KIND_MISMATCH`, `KEY_WIPED`
 */
export function expose<Kind extends SecretKind>(
  secret: Secret<Kind>,
  kind: NoInfer<Kind>,
): Uint8Array<ArrayBuffer> {
  return Secret.expose(secret, kind)
}

/**
 * Overwrites a secret, or a buffer that held one. What a JavaScript engine copied on its own account (while collecting
 * garbage, say) is out of reach.
 */
export function wipe(secret: Secret | Uint8Array): void {
  if (secret instanceof Secret) secret.wipe()
  else secret.fill(0)
}
