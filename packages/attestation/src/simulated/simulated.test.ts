// SPDX-License-Identifier: Apache-2.0
import { cryptoReady, encodeCbor, generateSigningKeyPair } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isAttestationError } from '../../test/errors.ts'
import { manifest, nowMs } from '../../test/world.ts'
import { noCollateral } from '../collateral/collateral.ts'
import { verifyEvidence } from '../evidence/verifier.ts'
import { manifestDigest } from '../manifest/manifest.ts'
import { createSimulatedRoot, simulatedAttester, simulatedTrustStore, simulatedVerifier } from './index.ts'
import { parseQuote } from './layout.ts'

const reportData = new Uint8Array(64).fill(3)
const trustStore = simulatedTrustStore('any')

beforeAll(cryptoReady)

async function quote(changes: { debug?: boolean } = {}) {
  const root = await createSimulatedRoot(seeded('root'))
  return await simulatedAttester({ root, manifest, ...changes }).produce(reportData)
}

describe('the simulated platform', () => {
  test('shows the manifest, tier none, and the root', async () => {
    const verified = await simulatedVerifier.verify(await quote(), {
      nowMs,
      trustStore,
      collateral: noCollateral,
      expectedReportData: reportData,
    })
    expect(verified).toMatchObject({
      platform: 'simulated',
      rootKind: 'simulated',
      tier: 'none',
      debug: false,
    })
    expect(verified.manifestSha384).toEqual(manifestDigest(manifest))
    const debugging = await quote({ debug: true })
    const context = { nowMs, trustStore, collateral: noCollateral, expectedReportData: reportData }
    expect((await simulatedVerifier.verify(debugging, context)).debug).toBe(true)
  })

  test('#71 refuses other report data, a foreign root, and a changed byte', async () => {
    const evidence = await quote()
    const context = { nowMs, trustStore, collateral: noCollateral, expectedReportData: reportData }
    await expect(
      simulatedVerifier.verify(evidence, { ...context, expectedReportData: new Uint8Array(64) }),
    ).rejects.toMatchObject({ code: 'ATTESTATION_REPORT_DATA_MISMATCH' })
    const other = simulatedTrustStore([generateSigningKeyPair(seeded('other')).publicKey])
    await expect(simulatedVerifier.verify(evidence, { ...context, trustStore: other })).rejects.toMatchObject(
      {
        code: 'ATTESTATION_ROOT_UNKNOWN',
      },
    )
    for (let at = 0; at < evidence.bytes.length; at++) {
      const bytes = evidence.bytes.slice()
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await expect(simulatedVerifier.verify({ ...evidence, bytes }, context)).rejects.toSatisfy(
        isAttestationError,
      )
    }
  })

  test('a root without its place in the trust store is not asked', async () => {
    const evidence = await quote()
    const input = { evidence, trustStores: [trustStore], nowMs, expectedReportData: reportData }
    const refusal = { code: 'ATTESTATION_PLATFORM_UNKNOWN' }
    await expect(verifyEvidence({ ...input, verifiers: [] })).rejects.toMatchObject(refusal)
    await expect(
      verifyEvidence({ ...input, trustStores: [], verifiers: [simulatedVerifier] }),
    ).rejects.toMatchObject(refusal)
    await expect(verifyEvidence({ ...input, verifiers: [simulatedVerifier] })).resolves.toMatchObject({
      tier: 'none',
    })
  })

  test('an attester takes 64 bytes', async () => {
    const root = await createSimulatedRoot()
    await expect(simulatedAttester({ root, manifest }).produce(new Uint8Array(63))).rejects.toMatchObject({
      code: 'ATTESTATION_CLAIMS_INVALID',
    })
  })

  test('garbage is refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => parseQuote(bytes)).toThrow(
          expect.objectContaining({ code: 'ATTESTATION_EVIDENCE_MALFORMED' }),
        )
      }),
    )
    const map = new Map<number, unknown>([
      [1, encodeCbor(new Map([[1, 2]]))],
      [2, new Uint8Array(32)],
      [3, new Uint8Array(64)],
    ])
    expect(() => parseQuote(encodeCbor(map))).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_EVIDENCE_MALFORMED' }),
    )
  })
})
