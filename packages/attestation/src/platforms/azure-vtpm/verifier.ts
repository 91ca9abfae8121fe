// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { sha256 } from '@mlcapsule/crypto'
import * as z from 'zod'
import { type PlatformRule, type PlatformRules, platformRule } from '../../appraise/rules.ts'
import { AttestationError } from '../../errors.ts'
import type {
  EvidenceVerifier,
  ExamineContext,
  TrustStore,
  VerifiedEvidence,
} from '../../evidence/verifier.ts'
import { tpmQualifyingData } from '../../report/claims.ts'
import { assertReportDataSize } from '../../report/report-data.ts'
import { assertOnlyQuoted } from '../tpm/evidence.ts'
import { pcrRegisters, pcrsRule } from '../tpm/rules.ts'
import { tpmVerifier } from '../tpm/verifier.ts'
import { type VerifiedQuote, verifyQuote } from '../tpm/verify-quote.ts'
import { parseAzureVtpmEvidence } from './evidence.ts'
import { type AzureVtpmEvidence, azureVtpmPlatform } from './evidence-encoding.ts'
import { parseRuntimeClaims } from './runtime-claims.ts'

/** The roots of the hardware below; the vTPM has none of its own. */
export interface AzureVtpmTrustStore extends TrustStore {
  readonly hardware: TrustStore
}

export function azureVtpmTrustStore(hardware: TrustStore): AzureVtpmTrustStore {
  return { platform: azureVtpmPlatform(hardware.platform), rootKind: hardware.rootKind, hardware }
}

/** What the rules look at, beside those of the hardware. */
export interface AzureVtpmClaims {
  readonly quote: VerifiedQuote
  readonly hasSecureBoot: boolean
  /** For the rules of the hardware's own verifier. */
  readonly hardware: unknown
}

/**
 * Checks evidence of confidential VMs on Azure. The hardware vouches for the paravisor and, by its report data, for the
 * paravisor's claims; these name the vTPM's attestation key; and that key's quote binds what is expected. Neither counts
 * without the other: the report is not fresh, and the quote is by a TPM in software.
 * @param hardware verifier of the report below: that of SEV-SNP, or of TDX
 */
export function azureVtpmVerifier(
  hardware: EvidenceVerifier,
): EvidenceVerifier<AzureVtpmTrustStore, AzureVtpmClaims> {
  const name = azureVtpmPlatform(hardware.name)
  return {
    kind: 'verifier',
    name,
    version: 1,
    rules: { ...liftedRules(hardware.rules), ...vtpmRules },
    identifyingRegisters: identifyingRegistersOver(hardware.identifyingRegisters),
    collateralNames: ({ bytes }) =>
      hardware.collateralNames(hardwareEvidence(hardware, parseAzureVtpmEvidence(bytes))),
    async examine({ bytes }, context) {
      const found = await verifyAzureVtpm(hardware, bytes, context, 'any')
      return { reportData: found.claims.quote.attest.extraData, unbound: { ...found, platform: name } }
    },
    async verify({ bytes }, context) {
      assertReportDataSize(context.expectedReportData)
      const expectedNonce = tpmQualifyingData(context.expectedReportData)
      return { ...(await verifyAzureVtpm(hardware, bytes, context, expectedNonce)), platform: name }
    },
  }
}

/**
 * Checks all of it. What the quote has to bind is given as it has to be there; `'any'` where nothing is decided by it.
 * @throws AttestationError as the hardware's verifier and `verifyQuote` do; `ATTESTATION_ENDORSEMENT_MISMATCH` for claims
 * that the hardware's report does not bind
 */
export async function verifyAzureVtpm(
  hardware: EvidenceVerifier,
  bytes: Uint8Array,
  context: ExamineContext<AzureVtpmTrustStore>,
  expectedNonce: Uint8Array | 'any',
): Promise<Omit<VerifiedEvidence<AzureVtpmClaims>, 'platform'>> {
  const evidence = parseAzureVtpmEvidence(bytes)
  const { ak, hasSecureBoot } = parseRuntimeClaims(evidence.runtimeClaims)
  const [verified, quote] = await Promise.all([
    verifyHardware(hardware, evidence, context),
    verifyQuote({ ...evidence, key: ak, expectedNonce }),
  ])
  assertOnlyQuoted(evidence.pcrs, quote.pcrs)
  return {
    ...verified,
    manifestSha384: null,
    measurement: { ...verified.measurement, ...pcrRegisters(quote.pcrs) },
    claims: { quote, hasSecureBoot, hardware: verified.claims },
  }
}

function hardwareEvidence({ name }: EvidenceVerifier, { hardware }: AzureVtpmEvidence): Evidence {
  return { platform: name, bytes: hardware }
}

/** The report data below is the hash of the claims, and zeros. */
async function verifyHardware(
  hardware: EvidenceVerifier,
  evidence: AzureVtpmEvidence,
  { nowMs, trustStore, collateral }: ExamineContext<AzureVtpmTrustStore>,
): Promise<VerifiedEvidence> {
  const expectedReportData = new Uint8Array(64)
  expectedReportData.set(sha256(evidence.runtimeClaims))
  try {
    return await hardware.verify(hardwareEvidence(hardware, evidence), {
      nowMs,
      trustStore: trustStore.hardware,
      collateral,
      expectedReportData,
    })
  } catch (error) {
    if (!(error instanceof AttestationError) || error.code !== 'ATTESTATION_REPORT_DATA_MISMATCH') throw error
    const detail = "the hardware's report does not bind these claims of the paravisor"
    const options = { field: 'evidence.runtimeClaims', cause: error }
    throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, options)
  }
}

/** The paravisor is the same for all customers, and the registers are its word: a reference value names both. */
function identifyingRegistersOver(below: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const lists = below.length === 0 ? [[]] : below
  return lists.flatMap((list) => tpmVerifier.identifyingRegisters.map((registers) => [...list, ...registers]))
}

/** Names no verifier of hardware uses. */
const vtpmRules: PlatformRules<AzureVtpmClaims> = {
  vtpmPcrs: pcrsRule<AzureVtpmClaims>(({ quote }) => quote.pcrs),
  vtpmSecureBoot: platformRule<AzureVtpmClaims, boolean>({
    schema: z.boolean(),
    suggested: true,
    found: ({ hasSecureBoot }) => String(hasSecureBoot),
    holds: ({ hasSecureBoot }, expected) => hasSecureBoot === expected,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
}

function liftedRules(rules: PlatformRules<unknown>): PlatformRules<AzureVtpmClaims> {
  const lifted = Object.entries(rules).map(([name, rule]): [string, PlatformRule<AzureVtpmClaims>] => [
    name,
    {
      ...rule,
      found: ({ hardware }) => rule.found(hardware),
      holds: ({ hardware }, expected) => rule.holds(hardware, expected),
    },
  ])
  return Object.fromEntries(lifted)
}
