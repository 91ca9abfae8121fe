// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { checkRules, type PlatformSection, parseSection } from '../../appraise/rules.ts'
import type { SevSnpClaims } from './claims.ts'
import { sevSnpRules } from './rules.ts'

const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219, fmc: null }
const claims: SevSnpClaims = {
  product: 'Milan',
  signingKey: 'vcek',
  version: 3,
  guestSvn: 9,
  policy: {
    abiMajor: 1,
    abiMinor: 55,
    smt: true,
    migrationAgent: false,
    debug: false,
    singleSocket: false,
    cxl: false,
    aes256Xts: false,
    raplDisabled: false,
    ciphertextHiding: false,
    pageSwapDisabled: false,
  },
  vmpl: 0,
  measurement: '5a'.repeat(48),
  hostData: '6b'.repeat(32),
  idKeyDigest: '1d'.repeat(48),
  authorKeyDigest: null,
  familyId: '0f'.repeat(16),
  imageId: '01'.repeat(16),
  chipId: 'c1'.repeat(64),
  cspId: null,
  reportedTcb: tcb,
  committedTcb: tcb,
  currentTcb: tcb,
  launchTcb: tcb,
  currentVersion: { major: 1, minor: 55, build: 40 },
  committedVersion: { major: 1, minor: 55, build: 40 },
}
const turin: SevSnpClaims = { ...claims, product: 'Turin', reportedTcb: { ...tcb, fmc: 1 } }
const unchecked = Object.fromEntries(Object.keys(sevSnpRules).map((name) => [name, 'any']))

/** Codes of what fails under a section that leaves all else unchecked. */
function failing(stated: PlatformSection, changes: Partial<SevSnpClaims> = {}): readonly string[] {
  const section = parseSection(sevSnpRules, { ...unchecked, ...stated }, 'policy.platforms.sev-snp')
  const checks = checkRules(sevSnpRules, section, { ...claims, ...changes }, 'platforms.sev-snp')
  return checks.flatMap(({ field, code }) => (code === null ? [] : [`${field.split('.').at(-1)} ${code}`]))
}

const milan = (changes: object) => ({
  minimumTcb: { Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219, ...changes } },
})

describe('rules', () => {
  test.each<[string, PlatformSection, Partial<SevSnpClaims>, readonly string[]]>([
    ['nothing stated', {}, {}, []],
    [
      '#55 another measurement',
      { measurements: ['00'.repeat(48)] },
      {},
      ['measurements ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    ['one of two measurements', { measurements: ['00'.repeat(48), '5a'.repeat(48)] }, {}, []],
    [
      '#55 other host data',
      { hostData: ['00'.repeat(32)] },
      {},
      ['hostData ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    ['host data', { hostData: ['6b'.repeat(32)] }, {}, []],
    [
      '#55 another key of identity',
      { idKeyDigests: ['00'.repeat(48)] },
      {},
      ['idKeyDigests ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    [
      '#55 no key of an author',
      { authorKeyDigests: ['00'.repeat(48)] },
      {},
      ['authorKeyDigests ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    ['a key of an author', { authorKeyDigests: ['0a'.repeat(48)] }, { authorKeyDigest: '0a'.repeat(48) }, []],
    ['another family', { familyIds: ['00'.repeat(16)] }, {}, ['familyIds ATTESTATION_MEASUREMENT_UNKNOWN']],
    ['another image', { imageIds: ['00'.repeat(16)] }, {}, ['imageIds ATTESTATION_MEASUREMENT_UNKNOWN']],
    [
      'a guest of an older version',
      { minimumGuestSvn: 10 },
      {},
      ['minimumGuestSvn ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    ['a guest of that version', { minimumGuestSvn: 9 }, {}, []],
    ['#53 a level above', { vmpl: 0 }, { vmpl: 1 }, ['vmpl ATTESTATION_PLATFORM_REFUSED']],
    ['#53 a level below', { vmpl: 2 }, { vmpl: 1 }, ['vmpl ATTESTATION_PLATFORM_REFUSED']],
    ['#52 SMT', { smt: false }, {}, ['smt ATTESTATION_PLATFORM_REFUSED']],
    ['#52 more than one socket', { singleSocket: true }, {}, ['singleSocket ATTESTATION_PLATFORM_REFUSED']],
    [
      '#52 an agent of migration',
      { migrationAgent: false },
      { policy: { ...claims.policy, migrationAgent: true } },
      ['migrationAgent ATTESTATION_PLATFORM_REFUSED'],
    ],
    [
      '#52 an older ABI',
      { minimumAbi: { major: 1, minor: 56 } },
      {},
      ['minimumAbi ATTESTATION_PLATFORM_REFUSED'],
    ],
    [
      '#52 an ABI of an older generation',
      { minimumAbi: { major: 2, minor: 0 } },
      {},
      ['minimumAbi ATTESTATION_PLATFORM_REFUSED'],
    ],
    ['#52 a newer ABI', { minimumAbi: { major: 0, minor: 99 } }, {}, []],
    ['the least firmware', milan({}), {}, []],
    ['an older boot loader', milan({ bootloader: 5 }), {}, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    ['an older trusted OS', milan({ tee: 1 }), {}, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    ['an older SNP', milan({ snp: 25 }), {}, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    ['older microcode', milan({ microcode: 220 }), {}, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    ['a part that Milan lacks', milan({ fmc: 0 }), {}, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    [
      '#54 less committed than reported',
      milan({}),
      { committedTcb: { ...tcb, snp: 23 } },
      ['minimumTcb ATTESTATION_TCB_REFUSED'],
    ],
    [
      '#54 less at launch than reported',
      milan({}),
      { launchTcb: { ...tcb, microcode: 1 } },
      ['minimumTcb ATTESTATION_TCB_REFUSED'],
    ],
    ['a product that is not listed', milan({}), turin, ['minimumTcb ATTESTATION_TCB_REFUSED']],
    ['another chip', { platforms: ['00'.repeat(64)] }, {}, ['platforms ATTESTATION_PLATFORM_REFUSED']],
    ['a chip that is listed', { platforms: ['c1'.repeat(64)] }, {}, []],
    [
      'a chip that is masked',
      { platforms: ['00'.repeat(64)] },
      { chipId: null },
      ['platforms ATTESTATION_PLATFORM_REFUSED'],
    ],
    ['another cloud', { cspIds: ['a'] }, { cspId: 'b' }, ['cspIds ATTESTATION_PLATFORM_REFUSED']],
    ['a cloud that is listed', { cspIds: ['a', 'b'] }, { cspId: 'b' }, []],
    ['the key of a chip needs no cloud', { cspIds: ['a'] }, {}, []],
    [
      '#47 a leased key',
      { signingKeys: ['vcek'] },
      { signingKey: 'vlek' },
      ['signingKeys ATTESTATION_PLATFORM_REFUSED'],
    ],
    ['a leased key that is allowed', { signingKeys: ['vcek', 'vlek'] }, { signingKey: 'vlek' }, []],
  ])('%s', (_name, stated, changes, expected) => {
    expect(failing(stated, changes)).toEqual(expected)
  })

  test.each<[string, PlatformSection]>([
    ['#12 an empty list', { measurements: [] }],
    ['#13 the start of a measurement', { measurements: ['5a'] }],
    ['#13 capitals', { measurements: ['5A'.repeat(48)] }],
    ['a level that is none', { vmpl: 4 }],
    ['a product that is none', { minimumTcb: { Rome: milan({}).minimumTcb.Milan } }],
    ['firmware without a part', { minimumTcb: { Milan: { bootloader: 4, tee: 0, snp: 24 } } }],
    ['no kind of key', { signingKeys: [] }],
    ['a rule that nobody knows', { measurement: 'any' }],
  ])('%s is no policy', (_name, stated) => {
    expect(() => failing(stated)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }))
  })

  test('every rule has to be written', () => {
    for (const name of Object.keys(sevSnpRules)) {
      const { [name]: _left, ...section } = unchecked
      expect(() => parseSection(sevSnpRules, section, 'policy.platforms.sev-snp')).toThrow(
        expect.objectContaining({ code: 'POLICY_FIELD_MISSING' }),
      )
    }
  })

  test('#79 what was found names a chip no further than tells it from others', () => {
    const checks = checkRules(sevSnpRules, unchecked, claims, 'platforms.sev-snp')
    expect(JSON.stringify(checks)).not.toContain('c1'.repeat(16))
  })

  test('what new policies are written with is a section', () => {
    const suggested = Object.fromEntries(
      Object.entries(sevSnpRules).map(([name, it]) => [name, it.suggested]),
    )
    expect(failing(suggested)).toEqual([])
    expect(failing(suggested, { vmpl: 1, signingKey: 'vlek' })).toHaveLength(2)
  })
})
