// SPDX-License-Identifier: Apache-2.0
import { createHash, X509Certificate } from 'node:crypto'
import {
  AttestationError,
  type AttestationPolicy,
  appraise,
  type EvidenceVerifier,
  type ExamineContext,
  parsePolicy,
  type VerifiedEvidence,
} from '@mlcapsule/attestation'
import { type IntelTrustStore, readPckChain, type SgxQuote } from '@mlcapsule/attestation/sgx'
import type { TdxQuote } from '@mlcapsule/attestation/tdx'
import { fromHex, utf8Bytes } from '@mlcapsule/crypto'
import type { CaseOptions, CaseRunner, VectorCase } from '../case.ts'

/** `collateral.json` of a case: what Intel signs as text, the rest in PEM and hex. */
interface CollateralJson {
  readonly tcb_info: string
  readonly tcb_info_signature: string
  readonly tcb_info_issuer_chain: string
  readonly qe_identity: string
  readonly qe_identity_signature: string
  readonly qe_identity_issuer_chain: string
  readonly pck_crl: string
  readonly root_ca_crl: string
}

/**
 * What a case brings, under the names that are asked for, whatever it is for: that a list is another authority's, or a
 * table another platform's, is for the verifier to find. The texts are put together around the signed ones, unchanged.
 */
export function caseCollateral(vector: VectorCase, names: readonly string[]): Map<string, Uint8Array> {
  const json = JSON.parse(vector.text('collateral.json')) as CollateralJson
  const contents: readonly [RegExp, Uint8Array][] = [
    [/\/tcb\/[^/]+$/, utf8Bytes(`{"tcbInfo":${json.tcb_info},"signature":"${json.tcb_info_signature}"}`)],
    [/\/tcb\/[^/]+\/issuer-chain$/, utf8Bytes(json.tcb_info_issuer_chain)],
    [
      /\/qe-identity$/,
      utf8Bytes(`{"enclaveIdentity":${json.qe_identity},"signature":"${json.qe_identity_signature}"}`),
    ],
    [/\/qe-identity\/issuer-chain$/, utf8Bytes(json.qe_identity_issuer_chain)],
    [/\/pck-crl\//, fromHex(json.pck_crl)],
    [/\/root-crl$/, fromHex(json.root_ca_crl)],
  ]
  return new Map(
    names.map((name) => {
      const content = contents.find(([pattern]) => pattern.test(name))
      if (content === undefined) throw new Error(`the vectors hold nothing that is called ${name}`)
      return [name, content[1]]
    }),
  )
}

/** SHA-256 of the SubjectPublicKeyInfo of the root that a case brings; undefined where it stands under Intel's. */
function caseRoots(
  { expected, text }: VectorCase,
  { vendorRootsOnly }: CaseOptions,
): readonly string[] | undefined {
  if (expected.trustAnchor === 'intel-sgx-root' || vendorRootsOnly === true) return undefined
  const { publicKey } = new X509Certificate(text(expected.trustAnchor))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return [createHash('sha256').update(spki).digest('hex')]
}

/** The policy that the vectors call strict; the platform's section is that of each kind. */
function strictPolicy(platform: string, section: Readonly<Record<string, unknown>>): AttestationPolicy {
  return parsePolicy({
    version: 1,
    name: 'strict',
    minimumTier: platform,
    allowUnattested: [],
    manifests: 'any',
    referenceSigners: [],
    platforms: { [platform]: section },
    maxEvidenceAgeSeconds: 'any',
    simulatedRoots: [],
    tcbStatuses: ['UpToDate', 'SWHardeningNeeded'],
    advisories: 'any',
    debug: false,
  })
}

type Quote = SgxQuote | TdxQuote

/** What SGX and TDX differ in. */
export interface DcapKind<Platform extends 'sgx' | 'tdx'> {
  readonly verifier: EvidenceVerifier
  parse(bytes: Uint8Array): Quote
  verifyUnbound(
    bytes: Uint8Array,
    context: ExamineContext<IntelTrustStore<Platform>>,
  ): Promise<VerifiedEvidence>
  trustStore(roots?: readonly string[]): IntelTrustStore<Platform>
  readonly strictSection: Readonly<Record<string, unknown>>
}

/** A case as its verifier takes it. */
export function caseContext<Platform extends 'sgx' | 'tdx'>(
  { verifier, trustStore }: DcapKind<Platform>,
  vector: VectorCase,
  options: CaseOptions = {},
  bytes: Uint8Array<ArrayBuffer> = vector.read(vector.expected.evidenceFile),
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly context: ExamineContext<IntelTrustStore<Platform>> } {
  const names = verifier.collateralNames({ platform: verifier.name, bytes }).flat()
  const nowMs = options.nowMs ?? Date.parse(vector.expected.now)
  return {
    bytes,
    context: {
      nowMs,
      trustStore: trustStore(caseRoots(vector, options)),
      collateral: caseCollateral(vector, names),
    },
  }
}

/** Runner of the cases of one of Intel's kinds. */
export function dcapRunner<Platform extends 'sgx' | 'tdx'>(kind: DcapKind<Platform>): CaseRunner {
  const { verifier } = kind
  const policy = strictPolicy(verifier.name, kind.strictSection)
  return async (vector, options) => {
    const fields = fieldsOf(() => kind.parse(vector.read(vector.expected.evidenceFile)))
    try {
      const { bytes, context } = caseContext(kind, vector, options)
      const verified = await kind.verifyUnbound(bytes, context)
      const policyCodes = appraiseStrictly(verified, policy, verifier, context.nowMs)
      const strictPolicy = policyCodes.length === 0 ? 'accept' : 'reject'
      const { tcbStatus } = verified
      return { evidence: 'accept', code: null, strictPolicy, policyCodes, fields, tcbStatus }
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error
      return { evidence: 'reject', code: error.code, strictPolicy: 'reject', policyCodes: [], fields }
    }
  }
}

/** @returns codes of what the policy refuses, empty where it accepts */
function appraiseStrictly(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  verifier: EvidenceVerifier,
  nowMs: number,
): readonly string[] {
  const result = appraise(verified, policy, {
    nowMs,
    nonceIssuedAtMs: nowMs,
    manifest: null,
    capsuleMinimumTier: 'none',
    verifiers: [verifier],
    references: [],
  })
  return result.status === 'accepted' ? [] : result.reasons.map(({ code }) => code)
}

function fieldsOf(parse: () => Quote): Record<string, unknown> | null {
  try {
    const quote = parse()
    return { ...bodyFields(quote.body), ...commonFields(quote) }
  } catch (error) {
    if (error instanceof AttestationError) return null
    throw error
  }
}

/** Fields of the quote and its PCK certificate, as the vectors name them. Whether they are genuine is not asked. */
function commonFields(quote: Quote): Record<string, unknown> {
  const { leaf, extension } = readPckChain(quote.pckChainPem)
  return {
    version: quote.header.version,
    attestationKeyType: quote.header.attestationKeyType,
    teeType: quote.header.teeType,
    bodyType: quote.body.type,
    certDataType: quote.certificationDataType,
    fmspc: extension.fmspc,
    pceId: extension.pceId,
    pceSvn: extension.pceSvn,
    cpuSvn_pck: extension.components.join(','),
    pckIssuerCN: leaf.issuerCommonName,
    qeMrSigner: Buffer.from(quote.qeReport.mrSigner).toString('hex'),
    qeIsvSvn: quote.qeReport.isvSvn,
    qeIsvProdId: quote.qeReport.isvProdId,
  }
}

/** Fields of a body: bytes as hex, numbers as they are. */
function bodyFields(body: Quote['body']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  )
}
