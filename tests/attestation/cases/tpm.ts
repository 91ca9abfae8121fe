// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto'
import { AttestationError, appraise, parsePolicy } from '@mlcapsule/attestation'
import {
  encodeTpmEvidence,
  type PcrBanks,
  type PublicJwk,
  parseAttest,
  parsePublicArea,
  parseSignature,
  signAkCredential,
  type TpmHashName,
  type TpmSignature,
  tpmTrustStore,
  tpmVerifier,
  type VerifiedQuote,
  verifiedTpm,
  verifyQuote,
  verifyTpmEvidence,
} from '@mlcapsule/attestation/tpm'
import {
  concatBytes,
  cryptoReady,
  fromBase64Url,
  fromHex,
  generateSigningKeyPair,
  toHex,
  uint32Bytes,
} from '@mlcapsule/crypto'
import type { CaseOutcome, CaseRunner, VectorCase } from '../case.ts'

const hashNames: Readonly<Record<number, string>> = { 4: 'sha1', 11: 'sha256', 12: 'sha384', 13: 'sha512' }
/** The vectors bring bare keys. This stands where a credential would name the root of the TPM's maker. */
const ekRoot = '00'.repeat(32)
/** What the synthetic cases are asked for; of the real ones, all registers that come with them. */
const syntheticPcrs = ['0', '4', '7', '11']

export const akOf = (vector: VectorCase): PublicJwk =>
  createPublicKey(vector.text('ak.pem')).export({ format: 'jwk' }) as PublicJwk

type PcrJson = Readonly<Partial<Record<TpmHashName, Readonly<Record<string, string>>>>>

const pcrJsonOf = (vector: VectorCase) => JSON.parse(vector.text('pcrs.json')) as PcrJson

export function pcrsOf(vector: VectorCase): PcrBanks {
  const banks = Object.entries(pcrJsonOf(vector)) as [TpmHashName, Record<string, string>][]
  return new Map(
    banks.map(([bank, values]) => [
      bank,
      new Map(Object.entries(values).map(([index, value]) => [Number(index), fromHex(value)])),
    ]),
  )
}

export const nonceOf = ({ expected }: VectorCase) => fromHex(String(expected.expectedNonce))

function fieldsOf(vector: VectorCase): CaseOutcome['fields'] {
  try {
    const attest = parseAttest(vector.read('attest.bin'))
    const signature = parseSignature(vector.read('signature.bin'))
    return {
      magic: attest.magic.toString(16).padStart(8, '0'),
      type: `0x${attest.type.toString(16)}`,
      qualifiedSigner: toHex(attest.qualifiedSigner),
      extraData: toHex(attest.extraData),
      clock: String(attest.clockMs),
      resetCount: attest.resetCount,
      restartCount: attest.restartCount,
      safe: attest.isClockSafe ? 1 : 0,
      firmwareVersion: `0x${attest.firmwareVersion.toString(16)}`,
      trailing: attest.quote === null ? attest.attested.length : 0,
      sigScheme: signature.scheme.toUpperCase(),
      sigHash: hashNames[signature.hashId],
      ...(attest.quote === null
        ? {}
        : {
            pcrSelect: attest.quote.selections.map(({ hashId, pcrs }) => ({
              alg: `0x${hashId.toString(16)}`,
              pcrs,
            })),
            pcrDigest: toHex(attest.quote.pcrDigest),
          }),
    }
  } catch (error) {
    if (error instanceof AttestationError) return null
    throw error
  }
}

function strictPolicy(vector: VectorCase) {
  const { sha256 = {} } = pcrJsonOf(vector)
  const asked = vector.expected.origin === 'synthetic' ? syntheticPcrs : Object.keys(sha256)
  return parsePolicy(
    {
      version: 1,
      name: 'strict',
      minimumTier: 'process',
      allowUnattested: [],
      manifests: 'any',
      referenceSigners: [],
      platforms: {
        tpm: {
          ekRoots: [ekRoot],
          pcrs: Object.fromEntries(asked.map((index) => [index, [sha256[index]]])),
          akNames: 'any',
        },
      },
      maxEvidenceAgeSeconds: 'any',
      simulatedRoots: [],
      tcbStatuses: 'any',
      advisories: [],
      debug: false,
    },
    [tpmVerifier],
  )
}

function appraiseStrictly(vector: VectorCase, quote: VerifiedQuote) {
  const claims = { quote, akName: '', ekSpkiSha256: '', ekRootSpkiSha256: ekRoot }
  return appraise(verifiedTpm(claims), strictPolicy(vector), {
    nowMs: 0,
    nonceIssuedAtMs: 0,
    manifest: null,
    capsuleMinimumTier: 'process',
    verifiers: [tpmVerifier],
    references: [],
  })
}

/**
 * The same quote as whole evidence, with a credential that an unknown authority signed for its key, under a trust store as
 * it is by itself: nobody is in it.
 */
async function verifyWhole(vector: VectorCase): Promise<void> {
  const akPublic = publicAreaOf(akOf(vector), parseSignature(vector.read('signature.bin')))
  const nowMs = Date.now()
  const akCredential = await signAkCredential({
    authority: generateSigningKeyPair(),
    nowMs,
    expiresAtMs: nowMs + 60_000,
    akName: parsePublicArea(akPublic).name,
    ekSpkiSha256: '00'.repeat(32),
    ekRootSpkiSha256: ekRoot,
  })
  const evidence = encodeTpmEvidence({
    attest: vector.read('attest.bin'),
    signature: vector.read('signature.bin'),
    akPublic,
    pcrs: pcrsOf(vector),
    akCredential,
  })
  const trustStore = tpmTrustStore({ authorities: [], ekRoots: [] })
  await verifyTpmEvidence(evidence, { nowMs, trustStore, expectedNonce: nonceOf(vector) })
}

const u16 = (value: number) => Uint8Array.of(value >> 8, value & 0xff)
const tpm2b = (bytes: Uint8Array) => concatBytes(u16(bytes.length), bytes)

/** TPMT_PUBLIC of an attestation key: with the attributes that one has, and the scheme that it signed with. */
function publicAreaOf(key: PublicJwk, { scheme, hashId }: TpmSignature): Uint8Array {
  const number = (text: string) => tpm2b(fromBase64Url(text))
  const [type, parameters] =
    key.kty === 'RSA'
      ? [0x01, concatBytes(u16(2048), uint32Bytes(0), number(key.n))]
      : [0x23, concatBytes(u16(0x03), u16(0x10), number(key.x), number(key.y))]
  const schemeId = { rsassa: 0x14, rsapss: 0x16, ecdsa: 0x18 }[scheme]
  const head = [u16(type), u16(0x0b), uint32Bytes(0x0005_0072), tpm2b(new Uint8Array())]
  return concatBytes(...head, u16(0x10), u16(schemeId), u16(hashId), parameters)
}

/** A case's quote, ready to be verified under the bare key that comes with it. */
export function tpmVerification(vector: VectorCase): () => Promise<VerifiedQuote> {
  const quote = {
    attest: vector.read('attest.bin'),
    signature: vector.read('signature.bin'),
    key: akOf(vector),
    pcrs: pcrsOf(vector),
    expectedNonce: nonceOf(vector),
  }
  return () => verifyQuote(quote)
}

/** Quotes of TPMs. No maker's root is pinned here: where only vendors count, no bare key is accepted. */
export const runTpmCase: CaseRunner = async (vector, options = {}) => {
  await cryptoReady()
  const fields = fieldsOf(vector)
  try {
    const quote = await tpmVerification(vector)()
    if (options.vendorRootsOnly === true) await verifyWhole(vector)
    const result = appraiseStrictly(vector, quote)
    const policyCodes = result.status === 'refused' ? result.reasons.map(({ code }) => code) : []
    return {
      evidence: 'accept',
      code: null,
      strictPolicy: result.status === 'accepted' ? 'accept' : 'reject',
      policyCodes,
      fields,
    }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { evidence: 'reject', code: error.code, strictPolicy: 'reject', policyCodes: [], fields }
  }
}
