// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { checkRules, type PlatformSection, parseSection } from '../../appraise/rules.ts'
import { nitroRules } from './rules.ts'
import type { NitroClaims } from './verify.ts'

const value = (fill: string) => fill.repeat(48)
const claims: NitroClaims = {
  moduleId: 'i-0-enc0',
  timestampMs: 1_000_000,
  timestampAgeMs: 60_000,
  pcrs: { 0: value('a0'), 1: value('a1'), 2: value('a2'), 3: value('00'), 8: value('a8') },
  publicKey: null,
  userData: '07'.repeat(64),
  nonce: null,
}
const unchecked = Object.fromEntries(Object.keys(nitroRules).map((name) => [name, 'any']))
const three = { 0: [value('a0')], 1: [value('a1')], 2: [value('a2')] }

/** Codes of what fails under a section that leaves all else unchecked. */
function failing(stated: PlatformSection, changes: Partial<NitroClaims> = {}): readonly string[] {
  const section = parseSection(nitroRules, { ...unchecked, ...stated }, 'policy.platforms.nitro')
  const checks = checkRules(nitroRules, section, { ...claims, ...changes }, 'platforms.nitro')
  return checks.flatMap(({ field, code }) => (code === null ? [] : [`${field.split('.').at(-1)} ${code}`]))
}

const otherPcrs = ['pcrs ATTESTATION_MEASUREMENT_UNKNOWN']
const otherNonce = ['nonce ATTESTATION_REPORT_DATA_MISMATCH']
const tooOld = ['maxTimestampAgeSeconds ATTESTATION_EVIDENCE_TOO_OLD']

describe('rules', () => {
  test.each<[string, PlatformSection, Partial<NitroClaims>, readonly string[]]>([
    ['nothing stated', {}, {}, []],
    ['the three PCRs', { pcrs: three }, {}, []],
    ['one of two values', { pcrs: { ...three, 0: [value('00'), value('a0')] } }, {}, []],
    ['another PCR 2', { pcrs: { ...three, 2: [value('a1')] } }, {}, otherPcrs],
    ['#57 a PCR that is not there', { pcrs: { ...three, 4: [value('a4')] } }, {}, otherPcrs],
    ['#57 zeros for a PCR that is not there', { pcrs: { ...three, 4: [value('00')] } }, {}, otherPcrs],
    ['zeros for a PCR that is', { pcrs: { ...three, 3: [value('00')] } }, {}, []],
    ['the key that signed the image', { pcrs: { ...three, 8: [value('a8')] } }, {}, []],
    ['another module', { moduleIds: ['i-1-enc0'] }, {}, ['moduleIds ATTESTATION_PLATFORM_REFUSED']],
    ['#13 the start of a module', { moduleIds: ['i-0'] }, {}, ['moduleIds ATTESTATION_PLATFORM_REFUSED']],
    ['a module', { moduleIds: ['i-0-enc0'] }, {}, []],
    ['no nonce', { nonce: 'absent' }, {}, []],
    ['#63 a nonce where none is asked for', { nonce: 'absent' }, { nonce: 'ab' }, otherNonce],
    ['#63 an empty nonce where none is asked for', { nonce: 'absent' }, { nonce: '' }, otherNonce],
    ['#63 no nonce where one is asked for', { nonce: 'ab' }, {}, otherNonce],
    ['#63 another nonce', { nonce: 'ab' }, { nonce: 'abab' }, otherNonce],
    ['the nonce', { nonce: 'ab' }, { nonce: 'ab' }, []],
    ['#62 a timestamp at the limit', { maxTimestampAgeSeconds: 60 }, {}, []],
    ['#62 a timestamp beyond it', { maxTimestampAgeSeconds: 59 }, {}, tooOld],
    ['#62 a timestamp ahead', { maxTimestampAgeSeconds: 59 }, { timestampAgeMs: -60_000 }, tooOld],
  ])('%s', (_name, stated, changes, expected) => {
    expect(failing(stated, changes)).toEqual(expected)
  })

  test.each<[string, PlatformSection]>([
    ['#57 PCR 8 alone', { pcrs: { 8: [value('a8')] } }],
    ['#57 PCR 0 alone', { pcrs: { 0: [value('a0')] } }],
    ['#12 no value for a PCR', { pcrs: { ...three, 1: [] } }],
    ['#12 no PCR', { pcrs: {} }],
    ['PCR 32', { pcrs: { ...three, 32: [value('a0')] } }],
    ['#13 the start of a value', { pcrs: { ...three, 0: ['a0'] } }],
    ['#13 capitals', { pcrs: { ...three, 0: [value('A0')] } }],
    ['#12 no module', { moduleIds: [] }],
    ['#12 an empty nonce', { nonce: '' }],
    ['a nonce beyond 512 bytes', { nonce: 'ab'.repeat(513) }],
    ['a rule that nobody knows', { pcr0: 'any' }],
  ])('%s is no policy', (_name, stated) => {
    expect(() => failing(stated)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }))
  })

  test('every rule has to be written', () => {
    for (const name of Object.keys(nitroRules)) {
      const { [name]: _left, ...section } = unchecked
      expect(() => parseSection(nitroRules, section, 'policy.platforms.nitro')).toThrow(
        expect.objectContaining({ code: 'POLICY_FIELD_MISSING' }),
      )
    }
  })

  test('what new policies are written with is a section', () => {
    const suggested = Object.fromEntries(Object.entries(nitroRules).map(([name, it]) => [name, it.suggested]))
    expect(failing(suggested)).toEqual([])
    expect(failing(suggested, { nonce: 'ab', timestampAgeMs: 901_000 })).toHaveLength(2)
  })
})
