// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { fromBase64Url, fromHex } from '../encoding/text.ts'

function decodes(decode: (text: string) => Uint8Array, fits: (sizeBytes: number) => boolean) {
  return (text: string): boolean => {
    try {
      return fits(decode(text).length)
    } catch {
      return false
    }
  }
}

/** Canonical base64url of exactly so many bytes. */
export function base64UrlOf(sizeBytes: number) {
  return z
    .string()
    .length(Math.ceil((sizeBytes * 4) / 3))
    .refine(
      decodes(fromBase64Url, (size) => size === sizeBytes),
      `is not base64url of ${sizeBytes} bytes`,
    )
}

/** Canonical base64url of 1 to so many bytes. */
export function base64UrlUpTo(maxSizeBytes: number) {
  return z
    .string()
    .max(Math.ceil((maxSizeBytes * 4) / 3))
    .refine(
      decodes(fromBase64Url, (size) => size >= 1 && size <= maxSizeBytes),
      `is not base64url of 1 to ${maxSizeBytes} bytes`,
    )
}

/** Lower-case hex of exactly so many bytes. */
export function hexOf(sizeBytes: number) {
  return z
    .string()
    .length(2 * sizeBytes)
    .refine(
      decodes(fromHex, (size) => size === sizeBytes),
      `is not lower-case hex of ${sizeBytes} bytes`,
    )
}

/** Name of an order, a policy, a platform or a file: 1 to 64 characters. */
export const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)

/** Name of a plugin, as the registry requires it. */
export const pluginName = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)

/** Seconds since 1970 (RFC 7519 NumericDate, integers only). */
export const numericDate = z.int().min(0).max(253_402_300_799)

/** `cnf` (RFC 7800): the Ed25519 key of the one whom a token is for, as a JWK (RFC 8037). */
export const confirmation = z.strictObject({
  jwk: z.strictObject({ crv: z.literal('Ed25519'), kty: z.literal('OKP'), x: base64UrlOf(32) }),
})
