// SPDX-License-Identifier: Apache-2.0
import { isolationTiers } from '@mlcapsule/contracts'
import {
  equalBytes,
  fromBase64Url,
  keyThumbprint,
  type SigningKeyPair,
  signJws,
  toBase64Url,
} from '@mlcapsule/crypto'
import {
  base64UrlOf,
  base64UrlUpTo,
  hexOf,
  identifier,
  numericDate,
  pluginName,
} from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { clockSkewSeconds } from '../activation/challenge.ts'
import { authorityKeys, verifySignedBy } from '../activation/signer.ts'
import type { AttestationResult } from '../appraise/result.ts'
import type { AppraisalCheck } from '../appraise/rules.ts'
import { AttestationError } from '../errors.ts'
import { registerName, registerValue } from '../reference/reference-value.ts'
import { parseWith } from '../schema/parse.ts'
import { entrySchema } from '../schema/words.ts'

/** Media type of an EAT as a JWT. @see RFC 9782 */
export const eatTyp = 'eat+jwt'
/** Says that the claims are those of spec/evidence.md §10. @see RFC 9711 §4.3.2 */
export const eatProfile = 'urn:mlcapsule:eat:attestation-result:1'

const maxLifetimeSeconds = 86_400

/** What a check found, in the words of RFC 9711 §4.2.17. */
const outcomes = { passed: 'success', failed: 'fail', unchecked: 'not-run' } as const

/** CoAP content format of `application/json`. @see IANA, CoAP Content-Formats */
const jsonContentFormat = 50

const registersSchema = z.record(registerName, registerValue)

const checkResult = z.tuple([z.string().min(1).max(200), z.enum(['success', 'fail', 'not-run', 'absent'])])

const eatSchema = z.strictObject({
  iss: base64UrlOf(32),
  iat: numericDate,
  exp: numericDate,
  eat_profile: z.literal(eatProfile),
  eat_nonce: base64UrlUpTo(64),
  intuse: z.enum(['generic', 'registration', 'provisioning', 'csr', 'pop']),
  dbgstat: z.enum(['enabled', 'disabled']),
  /** The registers that say what runs, as JSON. @see RFC 9711 §4.2.16 */
  measurements: z.tuple([z.tuple([z.literal(jsonContentFormat), z.string().max(8192)])]).optional(),
  measres: z.tuple([z.tuple([identifier, z.array(checkResult).min(1).max(256)])]),
  mlc_verdict: z.enum(['accepted', 'refused']),
  mlc_platform: pluginName,
  mlc_tier: z.enum(isolationTiers),
  mlc_reasons: z.array(z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/)).max(256),
  mlc_entry: z.union([z.null(), entrySchema]),
  mlc_manifest: z.union([z.null(), hexOf(48)]),
  mlc_tcb_status: z.union([z.null(), identifier]),
  mlc_unattested: z.union([z.null(), z.boolean()]),
})

/** The claims of a signed attestation result. There is no claim that says "secure": a reader looks at what was checked. */
export type EatClaims = Readonly<z.infer<typeof eatSchema>>

export interface SignResultInput {
  readonly result: AttestationResult
  /** The verifier's key. */
  readonly issuer: SigningKeyPair
  /** The relying party's nonce, 8 to 64 bytes, for which the evidence was asked. */
  readonly nonce: Uint8Array
  readonly intendedUse?: EatClaims['intuse']
  readonly nowMs: number
  /** At most 86,400. */
  readonly lifetimeSeconds: number
}

function invalid(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_RESULT_INVALID', detail, { field: 'result' })
}

/** Left out where there are none: the claim of the standard is never empty. */
function measurementsOf({ measurement }: AttestationResult): object {
  if (Object.keys(measurement).length === 0) return {}
  return { measurements: [[jsonContentFormat, JSON.stringify(measurement)]] }
}

/** A check of debug mode that is not there or did not pass says nothing good. */
function debugStatus(checks: readonly AppraisalCheck[]): EatClaims['dbgstat'] {
  return checks.some(({ field, status }) => field === 'debug' && status === 'passed') ? 'disabled' : 'enabled'
}

function assertNonce(nonce: Uint8Array): void {
  if (nonce.length < 8 || nonce.length > 64) throw invalid(`a nonce has 8 to 64 bytes, got ${nonce.length}`)
}

/**
 * Signs what an appraisal found as an Entity Attestation Token, for a relying party that leaves appraisal to this verifier.
 * Of each check it tells the field of the policy and the outcome, never what was found: that may name the machine.
 * @returns compact JWS of type `eat+jwt`
 * @throws AttestationError `ATTESTATION_RESULT_INVALID`
 * @see RFC 9711, RFC 9334 §8.4, spec/evidence.md §10
 */
export async function signResult(input: SignResultInput): Promise<string> {
  const { result, issuer, nonce, intendedUse = 'generic', nowMs, lifetimeSeconds } = input
  assertNonce(nonce)
  if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > maxLifetimeSeconds) {
    throw invalid(`a result holds for 1 to ${maxLifetimeSeconds} seconds`)
  }
  const iat = Math.floor(nowMs / 1000)
  const accepted = result.status === 'accepted' ? result : null
  const claims = {
    iss: toBase64Url(issuer.publicKey),
    iat,
    exp: iat + lifetimeSeconds,
    eat_profile: eatProfile,
    eat_nonce: toBase64Url(nonce),
    intuse: intendedUse,
    dbgstat: debugStatus(result.checks),
    ...measurementsOf(result),
    measres: [[result.policy, result.checks.map(({ field, status }) => [field, outcomes[status]])]],
    mlc_verdict: result.status,
    mlc_platform: result.platform,
    mlc_tier: result.tier,
    mlc_reasons: result.status === 'refused' ? result.reasons.map(({ code }) => code) : [],
    mlc_entry: accepted?.entry ?? null,
    mlc_manifest: accepted?.manifestSha384 ?? null,
    mlc_tcb_status: accepted?.tcbStatus ?? null,
    mlc_unattested: accepted?.unattested ?? null,
  }
  const payload = parseWith(eatSchema, claims, 'ATTESTATION_RESULT_INVALID', 'result')
  return await signJws({ ...issuer, typ: eatTyp, payload })
}

export interface VerifyResultOptions {
  /** Thumbprints of the keys of the verifiers that are trusted. */
  readonly issuers: readonly string[]
  /** The nonce that evidence was asked for with; 8 to 64 bytes, and never left out. */
  readonly nonce: Uint8Array
  readonly nowMs: number
}

/** A result that was verified, with the thumbprint of the key that signed it. What it says is still to be looked at. */
export interface VerifiedResult {
  readonly issuer: string
  readonly claims: EatClaims
}

/**
 * Checks issuer, form, nonce and time of a signed attestation result. A result that says `refused` is as genuine as one
 * that says `accepted`: use `requireAcceptedResult` for the verdict.
 * @throws AttestationError `ATTESTATION_RESULT_INVALID`, `ATTESTATION_RESULT_EXPIRED`; CryptoError `JWS_*`
 */
export async function verifyResult(token: string, options: VerifyResultOptions): Promise<VerifiedResult> {
  assertNonce(options.nonce)
  const verified = await verifySignedBy(token, {
    typ: eatTyp,
    keys: authorityKeys(token, options.issuers),
    unknownSigner: 'ATTESTATION_RESULT_INVALID',
    who: 'a verifier that is trusted here',
  })
  const claims = parseWith(eatSchema, verified.payload, 'ATTESTATION_RESULT_INVALID', 'result')
  if (!equalBytes(fromBase64Url(claims.eat_nonce), options.nonce))
    throw invalid('the result is for another nonce')
  measuredRegisters(claims)
  assertTime(claims, options.nowMs)
  assertCoherent(claims)
  return { issuer: keyThumbprint(verified.publicKey), claims }
}

function assertTime({ iat, exp }: EatClaims, nowMs: number): void {
  const now = nowMs / 1000
  if (exp <= iat || exp - iat > maxLifetimeSeconds) throw invalid('the result holds for no time, or too long')
  if (now >= iat - clockSkewSeconds && now < exp) return
  const detail = `the result holds from ${new Date(iat * 1000).toISOString()} until ${new Date(exp * 1000).toISOString()}`
  throw new AttestationError('ATTESTATION_RESULT_EXPIRED', detail, { field: 'result' })
}

/** An acceptance with a check that failed, or a refusal without a reason, contradicts itself. */
function assertCoherent({ mlc_verdict: verdict, measres, mlc_reasons: reasons, dbgstat }: EatClaims): void {
  const hasFailed = measres[0][1].some(([, outcome]) => outcome === 'fail' || outcome === 'absent')
  const isCoherent =
    verdict === 'accepted' ? !hasFailed && reasons.length === 0 && dbgstat === 'disabled' : reasons.length > 0
  if (!isCoherent) throw invalid(`the result says ${verdict}, and its checks say something else`)
}

/**
 * The registers of a result, lower-case hex by name: what reference values of the platform name too. Empty where the platform
 * measures the manifest itself, which is then `mlc_manifest`.
 * @throws AttestationError `ATTESTATION_RESULT_INVALID`; never for claims that `verifyResult` gave
 */
export function measuredRegisters({ measurements }: EatClaims): Readonly<Record<string, string>> {
  if (measurements === undefined) return {}
  const [[, text]] = measurements
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('the measurement of the result is not JSON')
  }
  const registers = parseWith(registersSchema, value, 'ATTESTATION_RESULT_INVALID', 'result.measurements')
  if (JSON.stringify(registers) !== text) throw invalid('a register of the result is named twice')
  return registers
}

/**
 * @returns the claims, for the reader's own policy: who was trusted, on which platform and tier, what stayed unchecked
 * @throws AttestationError `ATTESTATION_RESULT_INVALID` for a result that says `refused`, with its reasons
 */
export function requireAcceptedResult({ claims }: VerifiedResult): EatClaims {
  if (claims.mlc_verdict === 'accepted') return claims
  throw invalid(`the verifier refused: ${claims.mlc_reasons.join(', ')}`)
}
