// SPDX-License-Identifier: Apache-2.0
import { AttestationError, type ExamineContext } from '@mlcapsule/attestation'
import type { IntelTrustStore } from '@mlcapsule/attestation/sgx'
import { describe, expect, test } from 'vitest'
import { missing } from '../support/shared.ts'
import type { VectorCase } from './case.ts'
import { caseContext, type DcapKind } from './cases/dcap.ts'
import { sgxKind } from './cases/sgx.ts'
import { tdxKind } from './cases/tdx.ts'
import { casesOf } from './dcap-vectors.ts'

const skipped = missing('attestation-vectors')
const [step, collateralStep] = process.env.SLOW === '1' ? [1, 1] : [37, 185]

const isRealAndGenuine = ({ expected }: VectorCase) =>
  expected.origin === 'real' && expected.verdict.evidence === 'accept'
const sgxCases = casesOf('sgx').filter(isRealAndGenuine)
const tdxCases = casesOf('tdx').filter(isRealAndGenuine)

/** Whether it is accepted; whatever else is thrown than a coded refusal goes on. */
async function accepts(verify: () => Promise<unknown>): Promise<boolean> {
  try {
    await verify()
    return true
  } catch (error) {
    if (error instanceof AttestationError) return false
    throw error
  }
}

function flipped(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** DER of the certificates of a PEM text, as base64 that Node reads however it is written. */
const derOfPem = (pem: Uint8Array) =>
  new TextDecoder()
    .decode(pem)
    .split(/-----(?:BEGIN|END) CERTIFICATE-----/)
    .map((text) => Buffer.from(text, 'base64').toString('hex'))

/** Places of all length fields of a quote: offset and size in bytes. */
function lengthFields(
  kind: DcapKind<'sgx' | 'tdx'>,
  bytes: Uint8Array<ArrayBuffer>,
): readonly [number, number][] {
  const { header, signedBytes, qeAuthData } = kind.parse(bytes)
  const fields: [number, number][] = header.version === 5 ? [[50, 4]] : []
  fields.push([signedBytes.length, 4])
  let at = signedBytes.length + 4 + 128
  if (header.version !== 3) {
    fields.push([at + 2, 4])
    at += 6
  }
  at += 384 + 64
  fields.push([at, 2], [at + 2 + qeAuthData.length + 2, 4])
  return fields
}

function testKind<Platform extends 'sgx' | 'tdx'>(
  kind: DcapKind<Platform>,
  cases: readonly VectorCase[],
): void {
  const verify = (bytes: Uint8Array, context: ExamineContext<IntelTrustStore<Platform>>) =>
    accepts(() => kind.verifyUnbound(bytes, context))

  test.each(cases.map((it) => [it.name, it] as const))(
    '%s with one bit changed anywhere',
    async (_, vector) => {
      const { bytes, context } = caseContext(kind, vector)
      expect(await verify(bytes, context)).toBe(true)
      const certificates = derOfPem(kind.parse(bytes).pckChainPem)
      let refused = 0
      for (let at = 0; at < bytes.length; at += step) {
        const changed = flipped(bytes, at)
        if (await verify(changed, context)) {
          // White space around base64, and bits that it does not use: the certificates are the same ones.
          expect(derOfPem(kind.parse(changed).pckChainPem)).toEqual(certificates)
          expect(kind.parse(changed)).toEqual({ ...kind.parse(bytes), pckChainPem: expect.anything() })
        } else refused++
      }
      expect(refused).toBeGreaterThan((bytes.length / step) * 0.9)
    },
  )

  test.each(cases.map((it) => [it.name, it] as const))(
    '%s with lengths at their extremes',
    async (_, vector) => {
      const { bytes, context } = caseContext(kind, vector)
      const fields = lengthFields(kind, bytes)
      expect(fields).toHaveLength({ 3: 3, 4: 4, 5: 5 }[kind.parse(bytes).header.version])
      for (const [at, sizeBytes] of fields) {
        const whole = new DataView(bytes.buffer, bytes.byteOffset)
        const value = sizeBytes === 4 ? whole.getUint32(at, true) : whole.getUint16(at, true)
        const most = sizeBytes === 4 ? 0xffffffff : 0xffff
        const extremes = [0, 1, value - 1, value + 1, value * 2, most >>> 1, (most >>> 1) + 1, most - 1, most]
        for (const extreme of extremes.filter((it) => it !== value)) {
          const changed = bytes.slice()
          const view = new DataView(changed.buffer)
          if (sizeBytes === 4) view.setUint32(at, extreme, true)
          else view.setUint16(at, extreme, true)
          expect(await verify(changed, context)).toBe(false)
        }
      }
    },
  )

  test.each(cases.map((it) => [it.name, it] as const))(
    '%s with one bit of its collateral changed',
    async (_, vector) => {
      const { bytes, context } = caseContext(kind, vector)
      const names = kind.verifier.collateralNames({ platform: kind.verifier.name, bytes }).flat()
      expect(names).toHaveLength(6)
      for (const name of names) {
        const content = context.collateral.get(name) as Uint8Array<ArrayBuffer>
        let refused = 0
        for (let at = 0; at < content.length; at += collateralStep) {
          const changed = flipped(content, at)
          const collateral = { get: (it: string) => (it === name ? changed : context.collateral.get(it)) }
          if (await verify(bytes, { ...context, collateral })) {
            // Only in PEM there is anything that does not count.
            expect(name).toMatch(/issuer-chain$/)
            expect(derOfPem(changed)).toEqual(derOfPem(content))
          } else refused++
        }
        expect(refused).toBeGreaterThan((content.length / collateralStep) * 0.9)
      }
    },
  )
}

describe.skipIf(skipped !== null)('mutations of real quotes', () => {
  test('there are some of each kind', () => {
    expect([sgxCases.length, tdxCases.length]).toEqual([3, 6])
  })
  testKind(sgxKind, sgxCases)
  testKind(tdxKind, tdxCases)
})
