// SPDX-License-Identifier: Apache-2.0
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Plugin } from '../plugins/plugin.ts'
import { createRegistry } from './registry.ts'

const rounding = { kind: 'defense', name: 'rounding', version: 1, decimals: 3 } as const
const topK = { kind: 'defense', name: 'top-k', version: 2 } as const
const wasm = { kind: 'kernel-backend', name: 'wasm', version: 1 } as const

describe('createRegistry', () => {
  test('keeps the type of each plugin', () => {
    const registry = createRegistry().use(rounding).use(wasm).seal()
    expectTypeOf(registry.get('defense', 'rounding').decimals).toEqualTypeOf<3>()
    expect(registry.get('defense', 'rounding')).toBe(rounding)
    expect(registry.get('kernel-backend', 'wasm')).toBe(wasm)
  })

  test('lists by kind, in order of use', () => {
    const registry = createRegistry().use(topK).use(wasm).use(rounding).seal()
    expect(registry.list('defense')).toEqual([topK, rounding])
    expect(registry.list('anchor')).toEqual([])
    expect(registry.entries).toEqual([
      { kind: 'defense', name: 'top-k', version: 2 },
      { kind: 'kernel-backend', name: 'wasm', version: 1 },
      { kind: 'defense', name: 'rounding', version: 1 },
    ])
  })

  test('refuses a second plugin of the same kind and name, in the types and at run time', () => {
    const builder = createRegistry().use(rounding)
    expect(() => {
      // @ts-expect-error the name is taken
      builder.use({ kind: 'defense', name: 'rounding', version: 9 } as const)
    }).toThrow(expect.objectContaining({ code: 'CONTRACT_PLUGIN_DUPLICATE' }))
  })

  test('allows the same name under another kind', () => {
    const verifier = { kind: 'verifier', name: 'rounding', version: 1 } as const
    expect(createRegistry().use(rounding).use(verifier).seal().entries).toHaveLength(2)
  })

  test('an unknown name is a type error, and found at run time when it comes from a file', () => {
    const registry = createRegistry().use(rounding).use(topK).seal()
    // @ts-expect-error no such name
    expect(() => registry.get('defense', 'prada')).toThrow(
      expect.objectContaining({ code: 'CONTRACT_PLUGIN_UNKNOWN' }),
    )
    expect(() => registry.find('defense', 'prada')).toThrow(/rounding, top-k/)
    expect(registry.find('defense', 'top-k')).toBe(topK)
  })

  test('a sealed registry takes nothing more', () => {
    const builder = createRegistry().use(rounding)
    builder.seal()
    expect(() => builder.use(topK)).toThrow(expect.objectContaining({ code: 'CONTRACT_REGISTRY_SEALED' }))
  })

  test.each([
    ['an unknown kind', { kind: 'lamp', name: 'rounding', version: 1 }, 'kind'],
    ['an inherited kind', { kind: 'constructor', name: 'rounding', version: 1 }, 'kind'],
    ['no kind', { name: 'rounding', version: 1 }, 'kind'],
    ['upper case', { kind: 'defense', name: 'Rounding', version: 1 }, 'name'],
    ['underscore', { kind: 'defense', name: 'top_k', version: 1 }, 'name'],
    ['too long', { kind: 'defense', name: 'a'.repeat(65), version: 1 }, 'name'],
    ['version zero', { kind: 'defense', name: 'rounding', version: 0 }, 'version'],
    ['fractional version', { kind: 'defense', name: 'rounding', version: 1.5 }, 'version'],
  ])('refuses a plugin with %s', (_reason, plugin, field) => {
    expect(() => createRegistry().use(plugin as unknown as Plugin)).toThrow(
      expect.objectContaining({ code: 'CONTRACT_PLUGIN_INVALID', field }),
    )
  })
})
