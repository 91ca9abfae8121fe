// SPDX-License-Identifier: Apache-2.0
import { encodeCbor, fromHex, sha384 } from '@mlcapsule/crypto'
import { hexOf, identifier, pluginName } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { parseWith } from '../schema/parse.ts'
import { entrySchema } from '../schema/words.ts'

const pluginKinds = [
  'enclave-backend',
  'kernel-backend',
  'attester',
  'verifier',
  'model-importer',
  'defense',
  'anchor',
  'usage-sink',
] as const

export const manifestPluginSchema = z.strictObject({
  kind: z.enum(pluginKinds),
  name: pluginName,
  version: z.int().min(1),
})

export const manifestSchema = z.strictObject({
  version: z.literal(1),
  entry: entrySchema,
  components: z
    .array(z.strictObject({ name: identifier, sha384: hexOf(48) }))
    .min(1)
    .max(64)
    .refine(
      (components) => components.every((it, i) => i === 0 || (components[i - 1]?.name ?? '') < it.name),
      'component names are not in ascending order without repeats',
    ),
  plugins: z.array(manifestPluginSchema).max(64),
})

/**
 * What runs inside an enclave: its files by digest, and its plugins in the order in which they were composed.
 * The digest of the manifest is what a policy pins.
 */
export type EnclaveManifest = Readonly<z.infer<typeof manifestSchema>>

/** Validates a manifest that comes from a file or a message. @throws AttestationError `ATTESTATION_MANIFEST_INVALID` */
export function parseManifest(value: unknown): EnclaveManifest {
  return parseWith(manifestSchema, value, 'ATTESTATION_MANIFEST_INVALID', 'manifest')
}

/**
 * SHA-384 over the manifest's deterministic CBOR: the JSON's members under the same names, digests as bytes.
 * @returns 48 bytes
 * @throws AttestationError `ATTESTATION_MANIFEST_INVALID`
 * @see spec/evidence.md §3
 */
export function manifestDigest(manifest: EnclaveManifest): Uint8Array {
  const { components, ...rest } = parseManifest(manifest)
  const withBytes = components.map((it) => ({ name: it.name, sha384: fromHex(it.sha384) }))
  return sha384(encodeCbor({ ...rest, components: withBytes }))
}
