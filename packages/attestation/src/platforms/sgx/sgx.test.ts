// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { type DcapPlan, examineMade, makeDcap, sgxAt } from '../../../test/dcap.ts'
import { policyWith, refusals, suggestedSection } from '../../../test/dcap-policy.ts'
import { codeOf } from '../../../test/errors.ts'
import { appraise } from '../../appraise/appraise.ts'
import { requireAccepted } from '../../appraise/result.ts'
import { sgxVerifier } from './index.ts'

const [mrEnclave, mrSigner] = ['e1'.repeat(32), '51'.repeat(32)]

async function refusalsOf(
  section: Readonly<Record<string, unknown>>,
  edit: (plan: DcapPlan) => unknown = () => {},
): Promise<readonly string[]> {
  const { bytes, context } = await makeDcap('sgx', edit)
  return refusals(await examineMade({ tee: 'sgx', bytes, context }), sgxVerifier, section)
}

const withBody =
  (at: number, ...bytes: number[]) =>
  (plan: DcapPlan) =>
    plan.body.set(bytes, at)

describe('policies about SGX', () => {
  test('what is suggested accepts what is in order', async () => {
    expect(await refusalsOf(suggestedSection(sgxVerifier))).toEqual([])
    expect(await refusalsOf({})).toEqual([])
  })

  test('#12 nothing is left out, nothing is empty', () => {
    const codeOfSection = (section: object) => codeOf(() => policyWith(sgxVerifier, section as never))
    return Promise.all(
      [
        { identities: [] },
        { identities: undefined },
        { configId: [] },
        { platforms: [] },
        { minimumTcbEvaluationDataNumber: 0 },
        { attributes: ['DEBUG'] },
        { attributes: ['bit 3'] },
        { identities: [{ mrEnclave: mrEnclave.toUpperCase() }] },
        { identities: [{ mrEnclave: mrEnclave.slice(2) }] },
        { more: 'any' },
      ].map(async (section) => expect(await codeOfSection(section)).toBe('POLICY_INVALID')),
    )
  })

  test('#13 identities by MRENCLAVE', async () => {
    expect(await refusalsOf({ identities: [{ mrEnclave }] })).toEqual([])
    const unknown = ['ATTESTATION_MEASUREMENT_UNKNOWN']
    expect(await refusalsOf({ identities: [{ mrEnclave: mrSigner }] })).toEqual(unknown)
    const almost = `${mrEnclave.slice(0, -2)}e0`
    expect(await refusalsOf({ identities: [{ mrEnclave: almost }] })).toEqual(unknown)
    expect(await refusalsOf({ identities: [{ mrEnclave: almost }, { mrEnclave }] })).toEqual([])
  })

  test('#41 a signer counts with its product and a least SVN alone', async () => {
    const signed = (isvProdId: number, minimumIsvSvn: number, signer = mrSigner) =>
      refusalsOf({ identities: [{ mrSigner: signer, isvProdId, minimumIsvSvn }] })
    expect(await signed(7, 3)).toEqual([])
    expect(await signed(7, 2)).toEqual([])
    expect(await signed(7, 4)).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    expect(await signed(8, 3)).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    expect(await signed(7, 3, mrEnclave)).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    for (const identity of [{ mrSigner }, { mrSigner, isvProdId: 7 }, { mrSigner, minimumIsvSvn: 3 }]) {
      expect(await codeOf(() => policyWith(sgxVerifier, { identities: [identity] }))).toBe('POLICY_INVALID')
    }
  })

  test('#14 #39 debug is refused whatever a policy says', async () => {
    const everything = { attributes: ['INIT', 'MODE64BIT', 'PROVISION_KEY'] }
    const debug = withBody(sgxAt.attributes, 0x07)
    expect(await refusalsOf({}, debug)).toEqual(['ATTESTATION_DEBUG_ENABLED'])
    expect(await refusalsOf(everything, debug)).toEqual(['ATTESTATION_DEBUG_ENABLED'])
  })

  test('#39 the keys of provisioning and launching, and flags without a name', async () => {
    const suggested = suggestedSection(sgxVerifier)
    const refused = ['ATTESTATION_PLATFORM_REFUSED']
    expect(await refusalsOf(suggested, withBody(sgxAt.attributes, 0x15))).toEqual(refused)
    expect(await refusalsOf(suggested, withBody(sgxAt.attributes, 0x25))).toEqual(refused)
    expect(await refusalsOf(suggested, withBody(sgxAt.attributes, 0x0d))).toEqual(refused)
    expect(await refusalsOf(suggested, withBody(sgxAt.attributes + 7, 0x80))).toEqual(refused)
    expect(await refusalsOf(suggested, withBody(sgxAt.attributes, 0x85))).toEqual([])
    const allowed = { ...suggested, attributes: ['INIT', 'MODE64BIT', 'PROVISION_KEY'] }
    expect(await refusalsOf(allowed, withBody(sgxAt.attributes, 0x15))).toEqual([])
  })

  test('#44 what the launcher gives an enclave', async () => {
    const configured = withBody(sgxAt.configId, 0xc0)
    expect(await refusalsOf(suggestedSection(sgxVerifier), configured)).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
    ])
    expect(await refusalsOf({ configId: [`c0${'00'.repeat(63)}`] }, configured)).toEqual([])
  })

  test('#33 the least evaluation holds for both tables', async () => {
    const refused = ['ATTESTATION_COLLATERAL_EXPIRED']
    expect(await refusalsOf({ minimumTcbEvaluationDataNumber: 20 })).toEqual([])
    expect(await refusalsOf({ minimumTcbEvaluationDataNumber: 21 })).toEqual(refused)
    const older = { tcbEvaluationDataNumber: 19 }
    for (const table of ['tcbInfo', 'qeIdentity'] as const) {
      const edit = (plan: DcapPlan) => Object.assign(plan[table], older)
      expect(await refusalsOf({ minimumTcbEvaluationDataNumber: 20 }, edit)).toEqual(refused)
    }
  })

  test('#38 status and advisories', async () => {
    expect(await refusalsOf({}, (plan) => plan.qeReport.set([6], sgxAt.isvSvn))).toEqual([
      'ATTESTATION_TCB_REFUSED',
      'ATTESTATION_TCB_REFUSED',
    ])
  })

  test('#79 machines by PPID, of which a result tells a hash', async () => {
    const ppid = 'b1'.repeat(16)
    expect(await refusalsOf({ platforms: [ppid] })).toEqual([])
    expect(await refusalsOf({ platforms: ['b2'.repeat(16)] })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    const { bytes, context } = await makeDcap('sgx')
    const verified = await examineMade({ tee: 'sgx', bytes, context })
    const result = appraise(verified, policyWith(sgxVerifier, { platforms: [ppid] }), {
      nowMs: context.nowMs,
      nonceIssuedAtMs: context.nowMs,
      manifest: null,
      capsuleMinimumTier: 'sgx',
      verifiers: [sgxVerifier],
      references: [],
    })
    expect(requireAccepted(result).tier).toBe('sgx')
    expect(JSON.stringify(result)).not.toContain(ppid)
  })
})
