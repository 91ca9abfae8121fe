// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, toBase64Url, utf8Bytes } from '@mlcapsule/crypto'
import * as z from 'zod'
import { AttestationError } from '../errors.ts'
import { parseWith } from '../schema/parse.ts'
import { collateralMaxSizeBytes, collateralNameSchema } from './names.ts'

/** Collateral by name, as it came from the vendor. */
export type CollateralItems = ReadonlyMap<string, Uint8Array>

export const bundleMaxSizeBytes = 16_777_216
const itemsMaxCount = 1024

const bundleSchema = z.strictObject({
  version: z.literal(1),
  items: z.record(
    collateralNameSchema,
    z
      .string()
      .min(1)
      .max(Math.ceil((collateralMaxSizeBytes * 4) / 3)),
  ),
})

function invalid(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_COLLATERAL_INVALID', detail, { field: 'bundle', cause })
}

/**
 * Collateral as one file, to be carried to a machine without a network: JSON `{"version":1,"items":{name: base64url}}`,
 * names in ascending order, one line feed at the end.
 * @throws AttestationError `ATTESTATION_COLLATERAL_INVALID` for a name that is none, an empty or too large item, more than
 * 1,024 items or 16 MiB
 * @see spec/evidence.md §9
 */
export function encodeBundle(items: CollateralItems): Uint8Array<ArrayBuffer> {
  if (items.size > itemsMaxCount) throw invalid(`a bundle has at most ${itemsMaxCount} items`)
  const sorted = [...items].sort(([a], [b]) => (a < b ? -1 : 1))
  const members = sorted.map(([name, bytes]) => {
    if (bytes.length > collateralMaxSizeBytes)
      throw invalid(`an item has more than ${collateralMaxSizeBytes} bytes`)
    return [name, toBase64Url(bytes)]
  })
  const bundle = { version: 1, items: Object.fromEntries(members) }
  const checked = parseWith(bundleSchema, bundle, 'ATTESTATION_COLLATERAL_INVALID', 'bundle')
  const encoded = utf8Bytes(`${JSON.stringify(checked, null, 1)}\n`)
  if (encoded.length > bundleMaxSizeBytes) throw invalid(`a bundle has at most ${bundleMaxSizeBytes} bytes`)
  return encoded
}

/**
 * Reads a bundle, byte for byte as `encodeBundle` writes it. Nothing in it is trusted for that: verifiers check each item.
 * @throws AttestationError `ATTESTATION_COLLATERAL_INVALID`
 */
export function decodeBundle(bytes: Uint8Array): CollateralItems {
  if (bytes.length > bundleMaxSizeBytes) throw invalid(`a bundle has at most ${bundleMaxSizeBytes} bytes`)
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('a bundle is JSON', cause)
  }
  const { items } = parseWith(bundleSchema, value, 'ATTESTATION_COLLATERAL_INVALID', 'bundle')
  if (`${JSON.stringify({ version: 1, items }, null, 1)}\n` !== text) {
    throw invalid('a bundle is not written as its form asks for: order, white space, or a repeated member')
  }
  const names = Object.keys(items)
  if (names.length > itemsMaxCount) throw invalid(`a bundle has at most ${itemsMaxCount} items`)
  if (names.some((name, i) => i > 0 && (names[i - 1] as string) >= name)) {
    throw invalid('the items of a bundle are not in ascending order')
  }
  return new Map(Object.entries(items).map(([name, text]) => [name, decodeItem(text)]))
}

function decodeItem(text: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch (cause) {
    throw invalid('an item of a bundle is not base64url', cause)
  }
}
