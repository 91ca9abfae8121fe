// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { manifest, policy, policyJson } from '../../test/world.ts'
import { manifestDigest } from '../manifest/manifest.ts'
import { simulatedTrustStore } from '../simulated/index.ts'
import { admitTrustStores, parsePolicy } from './policy.ts'
import { matchesReference } from './references.ts'

describe('parsePolicy', () => {
  test.each(Object.keys(policyJson))('a policy without %s says which field is missing', (field) => {
    const { [field as 'name']: _left, ...rest } = policyJson
    expect(() => parsePolicy(rest)).toThrow(
      expect.objectContaining({ code: 'POLICY_FIELD_MISSING', field: `policy.${field}` }),
    )
  })

  test.each([
    ['an unknown field', { extra: 1 }, 'policy'],
    ['debug allowed', { debug: true }, 'policy.debug'],
    ['debug unchecked', { debug: 'any' }, 'policy.debug'],
    ['an unknown tier', { minimumTier: 'best' }, 'policy.minimumTier'],
    ['any entry unattested', { allowUnattested: 'any' }, 'policy.allowUnattested'],
    ['no reference value', { manifests: [] }, 'policy.manifests'],
    ['another version', { version: 2 }, 'policy.version'],
    ['a fractional age', { maxEvidenceAgeSeconds: 1.5 }, 'policy.maxEvidenceAgeSeconds'],
  ])('refuses %s', (_reason, change, field) => {
    expect(() => parsePolicy({ ...policyJson, ...change })).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID', field }),
    )
  })

  test.each([[null], ['policy'], [[]], [undefined]])('refuses %j as a policy', (value) => {
    expect(() => parsePolicy(value)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }))
  })
})

describe('admitTrustStores', () => {
  test('#75 a policy without unattested entries cannot load simulated roots', () => {
    const production = parsePolicy({ ...policyJson, allowUnattested: [] })
    expect(() => admitTrustStores(production, [simulatedTrustStore('any')])).toThrow(
      expect.objectContaining({ code: 'POLICY_SIMULATED_ROOT_REFUSED' }),
    )
    expect(admitTrustStores(policy, [simulatedTrustStore('any')])).toHaveLength(1)
  })
})

describe('matchesReference', () => {
  const [core, entry] = ['11'.repeat(48), '22'.repeat(48)]
  const pinned = { anyOf: [core], optional: false }
  const components = { 'enclave-core.mjs': pinned, 'entry-worker.mjs': 'any' as const }
  const open = { entry: 'any' as const, plugins: 'any' as const }

  test('the whole digest', () => {
    expect(matchesReference(manifest, { sha384: toHex(manifestDigest(manifest)) })).toBe(true)
    expect(matchesReference(manifest, { sha384: '00'.repeat(48) })).toBe(false)
  })

  test('per component: any of a list, and absent ones only if optional', () => {
    const addon = (optional: boolean) => ({ ...components, addon: { anyOf: [core], optional } })
    expect(matchesReference(manifest, { ...open, components })).toBe(true)
    expect(matchesReference(manifest, { ...open, components: addon(true) })).toBe(true)
    expect(matchesReference(manifest, { ...open, components: addon(false) })).toBe(false)
    expect(matchesReference(manifest, { ...open, components: { ...components, addon: 'any' } })).toBe(false)
    const wrong = { ...components, 'enclave-core.mjs': { anyOf: [entry], optional: false } }
    expect(matchesReference(manifest, { ...open, components: wrong })).toBe(false)
  })

  test('a component that is not listed refuses the manifest', () => {
    expect(matchesReference(manifest, { ...open, components: { 'enclave-core.mjs': pinned } })).toBe(false)
  })

  test('entry and plugins', () => {
    expect(matchesReference(manifest, { ...open, entry: ['process'], components })).toBe(false)
    expect(matchesReference(manifest, { ...open, entry: ['process', 'worker'], components })).toBe(true)
    expect(matchesReference(manifest, { ...open, plugins: [...manifest.plugins], components })).toBe(true)
    expect(
      matchesReference(manifest, { ...open, plugins: [...manifest.plugins].reverse(), components }),
    ).toBe(false)
    expect(matchesReference(manifest, { ...open, plugins: [], components })).toBe(false)
  })
})
