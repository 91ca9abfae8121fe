// SPDX-License-Identifier: Apache-2.0
import {
  generateSigningKeyPair,
  keyThumbprint,
  signDetached,
  signJws,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { seeded, type VectorCase, vectorFiles } from '@mlcapsule/crypto/testing'
import {
  buildReportClaims,
  manifestDigest,
  type ReportClaims,
  referenceTyp,
  reportData,
  tpmQualifyingData,
} from '../../src/index.ts'
import { encodeBody, encodeQuote, signedBytes } from '../../src/simulated/layout.ts'
import { createWorld, manifest, nowMs, policyJson } from '../world.ts'

const claims: ReportClaims = {
  purpose: 'activate',
  nonce: seeded('nonce'),
  releaseKey: seeded('x'),
  identityKey: seeded('e'),
  capsuleId: seeded('capsule'),
  headerHash: seeded('header'),
  order: 'order-1',
  challengeSigner: seeded('signer'),
  anchor: seeded('anchor'),
  manifestSha384: manifestDigest(manifest),
}

function reportCase(reason: string, changes: Partial<ReportClaims>): VectorCase {
  const all = { ...claims, ...changes }
  const bytes = buildReportClaims(all)
  const shown = Object.entries(all).map(([k, v]) => [k, v instanceof Uint8Array ? toHex(v) : v])
  return {
    clause: '2',
    reason,
    claims: Object.fromEntries(shown),
    expected: {
      claims: toHex(bytes),
      reportData: toHex(reportData(bytes)),
      tpmQualifyingData: toHex(tpmQualifyingData(reportData(bytes))),
    },
  }
}

const invalid = (reason: string, changes: object): VectorCase => ({
  clause: '3',
  reason,
  manifest: { ...manifest, ...changes },
  expected: { code: 'ATTESTATION_MANIFEST_INVALID' },
})

const manifests: Record<string, VectorCase> = {
  good: {
    clause: '3',
    reason: 'A manifest and its digest.',
    manifest,
    expected: { sha384: toHex(manifestDigest(manifest)) },
  },
  'components-unsorted': invalid('Components are not in ascending order.', {
    components: [...manifest.components].reverse(),
  }),
  'component-twice': invalid('A component is listed twice.', {
    components: [manifest.components[0], manifest.components[0]],
  }),
  'unknown-member': invalid('A member is unknown.', { note: 'x' }),
  'unknown-version': invalid('The version is unknown.', { version: 2 }),
  'unknown-entry': invalid('The entry is unknown.', { entry: 'thread' }),
}

interface AppraisalChanges {
  readonly policy?: object
  readonly manifest?: object
  readonly capsuleMinimumTier?: string
  readonly nowMs?: number
  readonly roots?: string[]
  readonly evidence?: Uint8Array
  readonly expectedReportData?: Uint8Array
}

async function appraisals(): Promise<Record<string, VectorCase>> {
  const { root } = await createWorld()
  const other = generateSigningKeyPair(seeded('another root'))
  const bound = reportData(buildReportClaims(claims))
  const digest = manifestDigest(manifest)
  const quote = (changes: { debug?: boolean; signer?: typeof root; key?: Uint8Array } = {}) => {
    const bodyBytes = encodeBody({ manifestSha384: digest, reportData: bound, debug: changes.debug ?? false })
    const signature = signDetached((changes.signer ?? root).privateKey, signedBytes(bodyBytes))
    return encodeQuote({ bodyBytes, root: changes.key ?? root.publicKey, signature })
  }
  const make = (
    clause: string,
    reason: string,
    expected: unknown,
    changes: AppraisalChanges = {},
  ): VectorCase => ({
    clause,
    reason,
    policy: { ...policyJson, ...changes.policy },
    roots: changes.roots ?? 'any',
    evidence: { platform: 'simulated', bytes: toHex(changes.evidence ?? quote()) },
    expectedReportData: toHex(changes.expectedReportData ?? bound),
    manifest: { ...manifest, ...changes.manifest },
    capsuleMinimumTier: changes.capsuleMinimumTier ?? 'none',
    nonceIssuedAtMs: nowMs,
    nowMs: changes.nowMs ?? nowMs,
    expected,
  })
  const byComponent = (rest: object) => ({
    entry: ['worker'],
    plugins: 'any',
    components: { 'enclave-core.mjs': { anyOf: ['11'.repeat(48)], optional: false }, ...rest },
  })
  const refused = (...reasons: string[]) => ({ verify: 'ok', status: 'refused', reasons })
  const accepted = { verify: 'ok', status: 'accepted', tier: 'none', unattested: true }
  return {
    accepted: make('7', 'The policy names the entry in allowUnattested.', accepted),
    'pinned-whole': make('6', 'The policy pins the digest of the whole manifest.', accepted, {
      policy: { manifests: [{ sha384: toHex(digest) }] },
    }),
    'pinned-components': make('6', 'The policy pins one component, and knows the names of all.', accepted, {
      policy: { manifests: [byComponent({ 'entry-worker.mjs': 'any' })] },
    }),
    'component-unlisted': make(
      '6',
      'A component is there that the reference value does not list.',
      refused('ATTESTATION_MEASUREMENT_UNKNOWN'),
      { policy: { manifests: [byComponent({})] } },
    ),
    'component-absent': make(
      '6',
      'A component is absent whose digest is left unchecked.',
      refused('ATTESTATION_MEASUREMENT_UNKNOWN'),
      { policy: { manifests: [byComponent({ 'entry-worker.mjs': 'any', 'addon.node': 'any' })] } },
    ),
    'pinned-root': make('6', 'The policy pins the root.', accepted, {
      policy: { simulatedRoots: [toHex(root.publicKey)] },
    }),
    'age-at-limit': make('7', 'The nonce is as old as the policy allows.', accepted, {
      policy: { maxEvidenceAgeSeconds: 60 },
      nowMs: nowMs + 60_000,
    }),
    'age-beyond-limit': make(
      '7',
      'The nonce is older than the policy allows.',
      refused('ATTESTATION_EVIDENCE_TOO_OLD'),
      {
        policy: { maxEvidenceAgeSeconds: 60 },
        nowMs: nowMs + 60_001,
      },
    ),
    production: make(
      '7',
      'A policy without allowUnattested takes no simulated root.',
      refused('POLICY_SIMULATED_ROOT_REFUSED', 'ATTESTATION_TIER_TOO_LOW'),
      { policy: { allowUnattested: [] } },
    ),
    'other-entry': make('7', 'The policy names another entry.', refused('ATTESTATION_TIER_TOO_LOW'), {
      policy: { allowUnattested: ['process'] },
    }),
    'capsule-tier': make(
      '7',
      'The capsule asks for more than simulated.',
      refused('ATTESTATION_TIER_TOO_LOW'),
      {
        capsuleMinimumTier: 'process',
      },
    ),
    'measurement-unknown': make(
      '6',
      'No reference value has this digest.',
      refused('ATTESTATION_MEASUREMENT_UNKNOWN'),
      {
        policy: { manifests: [{ sha384: '00'.repeat(48) }] },
      },
    ),
    'manifest-mismatch': make(
      '7',
      'The manifest shown was not measured.',
      refused('ATTESTATION_MANIFEST_MISMATCH'),
      {
        manifest: { plugins: [] },
      },
    ),
    'root-unlisted': make('6', 'The root is not in simulatedRoots.', refused('ATTESTATION_ROOT_UNKNOWN'), {
      policy: { simulatedRoots: [toHex(other.publicKey)] },
    }),
    debug: make('7', 'Debug mode is on.', refused('ATTESTATION_DEBUG_ENABLED'), {
      evidence: quote({ debug: true }),
    }),
    'root-untrusted': make(
      '5',
      'The root is not in the trust store.',
      { verify: 'ATTESTATION_ROOT_UNKNOWN' },
      {
        roots: [toHex(other.publicKey)],
      },
    ),
    'signature-wrong': make(
      '5',
      'Another key signed.',
      { verify: 'ATTESTATION_SIGNATURE_INVALID' },
      {
        evidence: quote({ signer: other }),
      },
    ),
    'report-data-other': make(
      '5',
      'Other report data is bound.',
      { verify: 'ATTESTATION_REPORT_DATA_MISMATCH' },
      {
        expectedReportData: new Uint8Array(64),
      },
    ),
    truncated: make(
      '5',
      'The last byte is missing.',
      { verify: 'ATTESTATION_EVIDENCE_MALFORMED' },
      {
        evidence: quote().subarray(0, -1),
      },
    ),
    'trailing-byte': make(
      '5',
      'A byte follows the evidence.',
      { verify: 'ATTESTATION_EVIDENCE_MALFORMED' },
      {
        evidence: Uint8Array.of(...quote(), 0),
      },
    ),
  }
}

async function references(): Promise<Record<string, VectorCase>> {
  const signer = generateSigningKeyPair(seeded('reference signer'))
  const other = generateSigningKeyPair(seeded('another reference signer'))
  const measured = { mrTd: 'ab'.repeat(48), rtmr1: 'cd'.repeat(48), rtmr2: 'ef'.repeat(48) }
  const value = {
    iss: toBase64Url(signer.publicKey),
    version: 1,
    release: 'runtime-1.2.0',
    platform: 'board',
    measurement: measured,
    manifest: toHex(manifestDigest(manifest)),
  }
  const make = async (
    reason: string,
    expected: { verify: string; manifest?: string | null },
    changes: { claims?: object; typ?: string; signedBy?: typeof signer; signers?: string[] } = {},
  ): Promise<VectorCase> => ({
    clause: '8',
    reason,
    token: await signJws({
      ...(changes.signedBy ?? signer),
      typ: changes.typ ?? referenceTyp,
      payload: { ...value, ...changes.claims },
    }),
    signers: changes.signers ?? [keyThumbprint(signer.publicKey)],
    evidence: { platform: 'board', measurement: { ...measured, rtmr0: '00'.repeat(48) } },
    identifyingRegisters: [['mrTd', 'rtmr1', 'rtmr2'], ['mrSigner']],
    expected,
  })
  const found = { verify: 'ok', manifest: value.manifest }
  const notFound = { verify: 'ok', manifest: null }
  const invalid = { verify: 'ATTESTATION_REFERENCE_INVALID' }
  const { rtmr2: _left, ...fewer } = measured
  return {
    good: await make('All registers of a list are named and equal.', found),
    'one-more-register': await make('A register that is not in the list is named too, and equal.', found, {
      claims: { measurement: { ...measured, rtmr0: '00'.repeat(48) } },
    }),
    'register-missing': await make('A register of the list is not named.', notFound, {
      claims: { measurement: fewer },
    }),
    'register-other': await make('A register differs.', notFound, {
      claims: { measurement: { ...measured, rtmr2: '00'.repeat(48) } },
    }),
    'register-absent': await make('A register is named that the evidence does not have.', notFound, {
      claims: { measurement: { ...measured, rtmr3: '00'.repeat(48) } },
    }),
    'no-register': await make('No register is named.', notFound, { claims: { measurement: {} } }),
    'platform-other': await make('It is about another platform.', notFound, {
      claims: { platform: 'other' },
    }),
    'signer-unnamed': await make('The policy does not name the signer.', invalid, {
      signers: [keyThumbprint(other.publicKey)],
    }),
    'issuer-other': await make('Another key signed than the issuer.', invalid, { signedBy: other }),
    'manifest-short': await make('The manifest is no SHA-384.', invalid, {
      claims: { manifest: 'ab'.repeat(32) },
    }),
    'unknown-member': await make('A member is unknown.', invalid, { claims: { note: 'x' } }),
    'type-other': await make(
      'It is a token of another type.',
      { verify: 'JWS_TYPE_MISMATCH' },
      {
        typ: 'mlc-challenge+jwt',
      },
    ),
  }
}

export async function evidenceVectors(): Promise<Map<string, string>> {
  const reports: Record<string, VectorCase> = {
    activate: reportCase('All claims given.', {}),
    'without-anchor': reportCase('There is no ledger, so there is no anchor.', { anchor: null }),
    resume: reportCase('A resume names the license by its hash.', {
      purpose: 'resume',
      order: 'A'.repeat(43),
    }),
  }
  return new Map([
    ...vectorFiles('report-data', reports),
    ...vectorFiles('manifests', manifests),
    ...vectorFiles('appraisal', await appraisals()),
    ...vectorFiles('references', await references()),
  ])
}
