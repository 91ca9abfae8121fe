// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { manifest } from '../../test/world.ts'
import { manifestDigest, parseManifest } from './manifest.ts'

describe('manifest', () => {
  test('its digest does not depend on the order of members, but on everything else', () => {
    const { version, entry, components, plugins } = manifest
    const digest = toHex(manifestDigest(manifest))
    expect(digest).toHaveLength(96)
    expect(toHex(manifestDigest({ plugins, components, entry, version }))).toBe(digest)
    expect(toHex(manifestDigest({ ...manifest, entry: 'process' }))).not.toBe(digest)
    expect(toHex(manifestDigest({ ...manifest, plugins: [...plugins].reverse() }))).not.toBe(digest)
    expect(toHex(manifestDigest({ ...manifest, components: components.slice(0, 1) }))).not.toBe(digest)
  })

  test.each([
    ['an unknown version', { ...manifest, version: 2 }],
    ['an unknown member', { ...manifest, note: 'x' }],
    ['components out of order', { ...manifest, components: [...manifest.components].reverse() }],
    ['a repeated component', { ...manifest, components: [manifest.components[0], manifest.components[0]] }],
    ['upper-case hex', { ...manifest, components: [{ name: 'a', sha384: 'AA'.repeat(48) }] }],
    ['a short digest', { ...manifest, components: [{ name: 'a', sha384: 'aa'.repeat(47) }] }],
    ['no component', { ...manifest, components: [] }],
    ['a path as a name', { ...manifest, components: [{ name: '../a', sha384: 'aa'.repeat(48) }] }],
    ['nothing', undefined],
  ])('refuses %s', (_reason, value) => {
    expect(() => parseManifest(value)).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_MANIFEST_INVALID' }),
    )
  })
})
