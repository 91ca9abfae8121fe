// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { type DcapPlan, examineMade, isvLevel, makeDcap, sgxAt, tdAt } from '../../../test/dcap.ts'
import { policyWith, refusals, suggestedSection } from '../../../test/dcap-policy.ts'
import { codeOf } from '../../../test/errors.ts'
import { tdxVerifier } from './index.ts'

const tcbRevoked = 'ATTESTATION_TCB_REVOKED'
const mismatch = 'ATTESTATION_ENDORSEMENT_MISMATCH'

async function statusOf(edit: (plan: DcapPlan) => unknown, version = 4): Promise<string> {
  const { bytes, context } = await makeDcap('tdx', edit, version)
  let status = ''
  const code = await codeOf(async () => {
    status = (await examineMade({ tee: 'tdx', bytes, context })).tcbStatus
  })
  return code === 'ok' ? status : code
}

const teeTcbSvn =
  (...bytes: number[]) =>
  (plan: DcapPlan) =>
    plan.body.set(bytes, tdAt.teeTcbSvn)

describe('components of a trust domain', () => {
  test('#36 the first two do not count where the module has a version', async () => {
    expect(await statusOf(teeTcbSvn(5, 1))).toBe('UpToDate')
    const higher = (plan: DcapPlan) =>
      Object.assign(plan.tcbInfo.tcbLevels[0].tcb.tdxtcbcomponents, { 0: { svn: 9 }, 1: { svn: 9 } })
    expect(await statusOf(higher)).toBe('UpToDate')
    for (const i of [2, 3, 15]) {
      expect(await statusOf((plan) => plan.body.set([2], tdAt.teeTcbSvn + i))).toBe('OutOfDate')
      expect(await statusOf((plan) => plan.body.set([0], tdAt.teeTcbSvn + i))).toBe(tcbRevoked)
    }
  })

  test('#36 they do where it has none', async () => {
    expect(await statusOf(teeTcbSvn(5, 0))).toBe('UpToDate')
    expect(await statusOf(teeTcbSvn(4, 0))).toBe('OutOfDate')
    expect(await statusOf(teeTcbSvn(2, 0))).toBe(tcbRevoked)
  })

  test('#35 those of SGX count as well', async () => {
    expect(await statusOf((plan) => Object.assign(plan.pck.components, { 3: 4 }))).toBe('OutOfDate')
  })
})

describe('the TDX module', () => {
  test.each([
    ['an unknown version', teeTcbSvn(5, 2), tcbRevoked],
    ['an SVN below all levels', teeTcbSvn(0, 1), tcbRevoked],
    ['a revoked SVN', teeTcbSvn(2, 1), tcbRevoked],
    ['an SVN that is out of date', teeTcbSvn(4, 1), 'OutOfDate'],
    ['another signer', (plan: DcapPlan) => plan.body.set([1], tdAt.mrSignerSeam + 47), mismatch],
    ['attributes', (plan: DcapPlan) => plan.body.set([1], tdAt.seamAttributes), mismatch],
    [
      'attributes that its identity has, too',
      (plan: DcapPlan) => {
        plan.body.set([1], tdAt.seamAttributes)
        plan.tcbInfo.tdxModuleIdentities[0].attributes = '0100000000000000'
      },
      mismatch,
    ],
    [
      'attributes outside the mask',
      (plan: DcapPlan) => {
        plan.body.set([1], tdAt.seamAttributes)
        plan.tcbInfo.tdxModuleIdentities[0].attributesMask = '00'.repeat(8)
      },
      mismatch,
    ],
    [
      'no identities',
      (plan: DcapPlan) => Object.assign(plan.tcbInfo, { tdxModuleIdentities: undefined }),
      tcbRevoked,
    ],
  ])('#37 %s', async (_, edit, found) => {
    expect(await statusOf(edit)).toBe(found)
    expect(await statusOf(edit, 5)).toBe(found === 'OutOfDate' ? 'TDRelaunchAdvised' : found)
  })

  test('#37 one without a version', async () => {
    const plain = (edit: (plan: DcapPlan) => unknown) =>
      statusOf((plan) => {
        teeTcbSvn(5, 0)(plan)
        edit(plan)
      })
    expect(await plain((plan) => plan.body.set([1], tdAt.mrSignerSeam))).toBe(mismatch)
    expect(await plain((plan) => plan.body.set([1], tdAt.seamAttributes))).toBe(mismatch)
    expect(await plain((plan) => Object.assign(plan.tcbInfo, { tdxModule: undefined }))).toBe(
      'ATTESTATION_COLLATERAL_INVALID',
    )
  })

  test('#38 its status and advisories are told', async () => {
    const { bytes, context } = await makeDcap('tdx', (plan) => {
      teeTcbSvn(3, 1)(plan)
      plan.qeReport.set([7], sgxAt.isvSvn)
      plan.tcbInfo.tcbLevels[0].tcbStatus = 'ConfigurationAndSWHardeningNeeded'
      plan.tcbInfo.tcbLevels[0].advisoryIDs = ['INTEL-SA-00004']
    })
    const { advisoryIds, claims, tcbStatus } = await examineMade({ tee: 'tdx', bytes, context })
    expect(tcbStatus).toBe('OutOfDateConfigurationNeeded')
    expect(advisoryIds).toEqual(['INTEL-SA-00002', 'INTEL-SA-00003', 'INTEL-SA-00004'])
    expect(claims.tcb).toMatchObject({
      platformStatus: 'ConfigurationAndSWHardeningNeeded',
      qeStatus: 'OutOfDate',
      module: { id: 'TDX_01', status: 'OutOfDate' },
    })
  })
})

describe('launching anew', () => {
  /** Launched under a module that is out of date. */
  const launched = (edit: (plan: DcapPlan) => unknown = () => {}) =>
    statusOf((plan) => {
      teeTcbSvn(3, 1)(plan)
      edit(plan)
    }, 5)
  const now =
    (...bytes: number[]) =>
    (plan: DcapPlan) =>
      plan.body.set(bytes, tdAt.teeTcbSvn2)
  const status = (tcbStatus: string) => (plan: DcapPlan) =>
    Object.assign(plan.tcbInfo.tcbLevels[0], { tcbStatus })

  test('is advised where the machine has been brought up to date', async () => {
    expect(await launched()).toBe('TDRelaunchAdvised')
    expect(await launched(status('SWHardeningNeeded'))).toBe('TDRelaunchAdvised')
    expect(await launched(status('ConfigurationNeeded'))).toBe('TDRelaunchAdvisedConfigurationNeeded')
    expect(await launched(now(5, 0))).toBe('TDRelaunchAdvised')
    const second = (plan: DcapPlan) =>
      plan.tcbInfo.tdxModuleIdentities.push({
        ...plan.tcbInfo.tdxModuleIdentities[0],
        id: 'TDX_03',
        tcbLevels: [isvLevel(2, 'UpToDate')],
      })
    const withSecond = (...bytes: number[]) =>
      launched((plan) => {
        second(plan)
        now(...bytes)(plan)
      })
    expect(await withSecond(2, 3)).toBe('TDRelaunchAdvised')
    expect(await withSecond(1, 3)).toBe('OutOfDate')
  })

  test('is not where it has not, or more than the launch is out of date', async () => {
    expect(await launched(now(4, 1))).toBe('OutOfDate')
    expect(await launched(now(4, 0))).toBe('OutOfDate')
    expect(await launched(now(5, 1, 2))).toBe('OutOfDate')
    expect(await launched(status('OutOfDate'))).toBe('OutOfDate')
    expect(await launched((plan) => plan.qeReport.set([7], sgxAt.isvSvn))).toBe('OutOfDate')
    expect(await statusOf(() => {}, 5)).toBe('UpToDate')
    expect(await statusOf(teeTcbSvn(3, 1))).toBe('OutOfDate')
  })

  test('is refused where Intel does not know what runs now', async () => {
    expect(await launched(now(5, 9))).toBe(tcbRevoked)
  })
})

describe('policies about TDX', () => {
  const refusalsOf = async (
    section: Readonly<Record<string, unknown>>,
    edit: (plan: DcapPlan) => unknown = () => {},
    version = 5,
  ) => {
    const { bytes, context } = await makeDcap('tdx', edit, version)
    return refusals(await examineMade({ tee: 'tdx', bytes, context }), tdxVerifier, section)
  }
  const withBody =
    (at: number, ...bytes: number[]) =>
    (plan: DcapPlan) =>
      plan.body.set(bytes, at)
  const suggested = suggestedSection(tdxVerifier)
  const refused = ['ATTESTATION_PLATFORM_REFUSED']
  const unknown = ['ATTESTATION_MEASUREMENT_UNKNOWN']
  const measurement = {
    mrTd: '1d'.repeat(48),
    rtmr0: 'a0'.repeat(48),
    rtmr1: 'a1'.repeat(48),
    rtmr2: 'a2'.repeat(48),
    rtmr3: 'a3'.repeat(48),
  }

  test('what is suggested accepts what is in order', async () => {
    expect(await refusalsOf(suggested)).toEqual([])
    expect(await refusalsOf(suggested, () => {}, 4)).toEqual([])
  })

  test('#12 nothing is left out, nothing is empty', async () => {
    for (const section of [
      { measurements: [] },
      { measurements: undefined },
      { tdAttributes: { required: [] } },
      { tdAttributes: { required: [], allowed: ['DEBUG'] } },
      { tdAttributes: { required: [], allowed: ['bit 3'] } },
      { mrServiceTd: [] },
      { mrConfigId: [''] },
      { more: 'any' },
    ]) {
      expect(await codeOf(() => policyWith(tdxVerifier, section as never))).toBe('POLICY_INVALID')
    }
  })

  test('#42 all registers but RTMR3 are named, and each counts', async () => {
    expect(await refusalsOf({ measurements: [measurement] })).toEqual([])
    expect(await refusalsOf({ measurements: [{ ...measurement, rtmr3: 'any' }] })).toEqual([])
    for (const name of Object.keys(measurement)) {
      const other = { ...measurement, [name]: '00'.repeat(48) }
      expect(await refusalsOf({ measurements: [other] })).toEqual(unknown)
      expect(await refusalsOf({ measurements: [other, measurement] })).toEqual([])
      const { [name as 'mrTd']: _, ...rest } = measurement
      expect(await codeOf(() => policyWith(tdxVerifier, { measurements: [rest] }))).toBe('POLICY_INVALID')
      if (name === 'rtmr3') continue
      const any = { measurements: [{ ...measurement, [name]: 'any' }] }
      expect(await codeOf(() => policyWith(tdxVerifier, any))).toBe('POLICY_INVALID')
    }
  })

  test('#14 #40 debug, and every other bit of the first byte', async () => {
    for (let bit = 0; bit < 8; bit++) {
      const debug = withBody(tdAt.tdAttributes, 1 << bit)
      expect(await refusalsOf({}, debug)).toEqual(['ATTESTATION_DEBUG_ENABLED'])
      expect(await refusalsOf(suggested, debug)).toEqual(['ATTESTATION_DEBUG_ENABLED'])
    }
  })

  test('#40 SEPT_VE_DISABLE, MIGRATABLE and reserved attributes', async () => {
    expect(await refusalsOf(suggested, withBody(tdAt.tdAttributes, 0, 0, 0, 0))).toEqual(refused)
    const migratable = withBody(tdAt.tdAttributes, 0, 0, 0, 0x30)
    expect(await refusalsOf(suggested, migratable)).toEqual(refused)
    const allowing = { tdAttributes: { required: ['SEPT_VE_DISABLE'], allowed: ['MIGRATABLE'] } }
    expect(await refusalsOf(allowing, migratable)).toEqual([])
    for (const [byte, bit] of [
      [1, 1],
      [2, 0x80],
      [3, 8],
      [4, 1],
      [7, 0x40],
    ] as const) {
      const reserved = (plan: DcapPlan) => {
        plan.body[tdAt.tdAttributes + byte] = (plan.body[tdAt.tdAttributes + byte] ?? 0) | bit
      }
      expect(await refusalsOf(suggested, reserved)).toEqual(refused)
    }
    expect(await refusalsOf(suggested, withBody(tdAt.tdAttributes, 0, 0, 0, 0xd0, 0, 0, 0, 0x80))).toEqual([])
  })

  test('#40 a service TD, and reports that cannot tell', async () => {
    const bound = withBody(tdAt.mrServiceTd, 1)
    expect(await refusalsOf(suggested, bound)).toEqual(refused)
    expect(await refusalsOf({ mrServiceTd: [`01${'00'.repeat(47)}`] }, bound)).toEqual([])
    const reported = { mrServiceTd: ['00'.repeat(48)] }
    expect(await refusalsOf(reported)).toEqual([])
    expect(await refusalsOf(reported, () => {}, 4)).toEqual(refused)
  })

  test('#40 XFAM', async () => {
    expect(await refusalsOf({ xfam: ['e702060000000000'] })).toEqual([])
    expect(await refusalsOf({ xfam: ['e700060000000000'] })).toEqual(refused)
  })

  test.each(['mrConfigId', 'mrOwner', 'mrOwnerConfig'] as const)('#44 %s is compared', async (name) => {
    const given = withBody(tdAt[name], 0xc0)
    expect(await refusalsOf(suggested, given)).toEqual(unknown)
    expect(await refusalsOf({ [name]: [`c0${'00'.repeat(47)}`] }, given)).toEqual([])
  })

  test('the module and the machine', async () => {
    expect(await refusalsOf({ mrSeam: ['5e'.repeat(48)], platforms: ['b1'.repeat(16)] })).toEqual([])
    expect(await refusalsOf({ mrSeam: ['5f'.repeat(48)] })).toEqual(refused)
    expect(await refusalsOf({ platforms: ['b0'.repeat(16)] })).toEqual(refused)
    expect(await refusalsOf({ minimumTcbEvaluationDataNumber: 21 })).toEqual([
      'ATTESTATION_COLLATERAL_EXPIRED',
    ])
  })
})
