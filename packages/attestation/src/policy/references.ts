// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { hexOf, identifier } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type EnclaveManifest, manifestDigest, manifestPluginSchema } from '../manifest/manifest.ts'
import { entrySchema } from '../schema/words.ts'

const any = z.literal('any')

/** Reference value: a whole manifest by its digest, or each component by its own. */
export const manifestReferenceSchema = z.union([
  z.strictObject({ sha384: hexOf(48) }),
  z.strictObject({
    entry: z.union([any, z.array(entrySchema).min(1)]),
    plugins: z.union([any, z.array(manifestPluginSchema).max(64)]),
    components: z.record(
      identifier,
      z.union([any, z.strictObject({ anyOf: z.array(hexOf(48)).min(1).max(64), optional: z.boolean() })]),
    ),
  }),
])

export type ManifestReference = Readonly<z.infer<typeof manifestReferenceSchema>>
type ByComponent = Exclude<ManifestReference, { sha384: string }>

function componentsMatch(manifest: EnclaveManifest, expected: ByComponent['components']): boolean {
  const present = new Map(manifest.components.map((it) => [it.name, it.sha384]))
  const listed = new Map(Object.entries(expected))
  for (const name of present.keys()) if (!listed.has(name)) return false
  for (const [name, rule] of listed) {
    const digest = present.get(name)
    const fits =
      digest === undefined ? rule !== 'any' && rule.optional : rule === 'any' || rule.anyOf.includes(digest)
    if (!fits) return false
  }
  return true
}

function pluginsMatch(manifest: EnclaveManifest, expected: ByComponent['plugins']): boolean {
  if (expected === 'any') return true
  return (
    manifest.plugins.length === expected.length &&
    expected.every((it, i) => {
      const plugin = manifest.plugins[i]
      return plugin?.kind === it.kind && plugin.name === it.name && plugin.version === it.version
    })
  )
}

/**
 * Whether a manifest is one that the reference value describes. Per component: a component that the reference does not
 * list refuses the manifest, as does a listed one that is absent and not optional; `'any'` leaves its digest unchecked,
 * not its presence.
 */
export function matchesReference(manifest: EnclaveManifest, reference: ManifestReference): boolean {
  if ('sha384' in reference) return toHex(manifestDigest(manifest)) === reference.sha384
  if (reference.entry !== 'any' && !reference.entry.includes(manifest.entry)) return false
  return pluginsMatch(manifest, reference.plugins) && componentsMatch(manifest, reference.components)
}
