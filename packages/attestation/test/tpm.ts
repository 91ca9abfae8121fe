// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  fromBase64Url,
  generateSigningKeyPair,
  sha256,
  uint32Bytes,
  uint64Bytes,
} from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { signAkCredential } from '../src/platforms/tpm/ak-credential.ts'
import { encodeTpmEvidence, type TpmEvidence } from '../src/platforms/tpm/evidence-encoding.ts'
import { parsePublicArea } from '../src/platforms/tpm/public-area.ts'
import type { PcrBanks } from '../src/platforms/tpm/verify-quote.ts'

export const u8 = (value: number): Uint8Array => Uint8Array.of(value)
export const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)
export const tpm2b = (bytes: Uint8Array): Uint8Array => concatBytes(u16(bytes.length), bytes)

/** TPMA_OBJECT of a key that `TPM2_Create` makes for attestation: fixed, made inside, with its user's authority. */
export const akAttributes = 0x0005_0072

export const schemes = {
  rsassa: { id: 0x14, name: 'RSASSA-PKCS1-v1_5' },
  rsapss: { id: 0x16, name: 'RSA-PSS' },
  ecdsa: { id: 0x18, name: 'ECDSA' },
} as const
export type SchemeName = keyof typeof schemes

export interface PublicAreaOptions {
  readonly type?: number
  readonly nameHashId?: number
  readonly attributes?: number
  /** Also 0x10: none. */
  readonly schemeId?: number
  readonly schemeHashId?: number
  readonly symmetricId?: number
  readonly exponent?: number
  readonly keyBits?: number
  readonly curveId?: number
}

/** TPMT_PUBLIC, all in order but for the options. */
export function publicArea(scheme: SchemeName, jwk: JsonWebKey, options: PublicAreaOptions = {}): Uint8Array {
  const { schemeId = schemes[scheme].id, schemeHashId = 0x0b } = options
  const isEcc = scheme === 'ecdsa'
  const details = schemeId === 0x10 ? [u16(schemeId)] : [u16(schemeId), u16(schemeHashId)]
  const number = (text: string | undefined) => fromBase64Url(text ?? '')
  const modulus = number(jwk.n)
  const key = isEcc
    ? [u16(options.curveId ?? 3), u16(0x10), tpm2b(number(jwk.x)), tpm2b(number(jwk.y))]
    : [u16(options.keyBits ?? 8 * modulus.length), uint32Bytes(options.exponent ?? 0), tpm2b(modulus)]
  return concatBytes(
    u16(options.type ?? (isEcc ? 0x23 : 0x01)),
    u16(options.nameHashId ?? 0x0b),
    uint32Bytes(options.attributes ?? akAttributes),
    tpm2b(new Uint8Array()),
    u16(options.symmetricId ?? 0x10),
    ...details,
    ...key,
  )
}

export interface Selection {
  readonly hashId: number
  readonly pcrs: readonly number[]
}

export interface AttestOptions {
  readonly magic?: number
  readonly type?: number
  readonly extraData?: Uint8Array
  readonly safe?: number
  readonly selections?: readonly Selection[]
  readonly bankCount?: number
  readonly bitmapSizeBytes?: number
  readonly pcrDigest?: Uint8Array
  readonly trailing?: Uint8Array
}

export const quotedPcrs = [0, 4, 7, 11] as const
export const pcrValue = (pcr: number): Uint8Array => seeded(`register ${pcr}`)
export const testPcrs: PcrBanks = new Map([
  ['sha256', new Map(quotedPcrs.map((pcr) => [pcr, pcrValue(pcr)]))],
])
export const testNonce = seeded('nonce')

function bitmap(pcrs: readonly number[], sizeBytes: number): Uint8Array {
  const bits = new Uint8Array(sizeBytes)
  for (const pcr of pcrs) bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | (1 << (pcr & 7))
  return bits
}

/** TPMS_ATTEST of a quote, all in order but for the options. */
export function attestBytes(options: AttestOptions = {}): Uint8Array {
  const { selections = [{ hashId: 0x0b, pcrs: quotedPcrs }], bitmapSizeBytes = 3 } = options
  return concatBytes(
    uint32Bytes(options.magic ?? 0xff544347),
    u16(options.type ?? 0x8018),
    tpm2b(concatBytes(u16(0x0b), seeded('qualified signer'))),
    tpm2b(options.extraData ?? testNonce),
    uint64Bytes(123_456),
    uint32Bytes(7),
    uint32Bytes(1),
    u8(options.safe ?? 1),
    uint64Bytes(0x2020_0312),
    uint32Bytes(options.bankCount ?? selections.length),
    ...selections.map(({ hashId, pcrs }) =>
      concatBytes(u16(hashId), u8(bitmapSizeBytes), bitmap(pcrs, bitmapSizeBytes)),
    ),
    tpm2b(options.pcrDigest ?? sha256(...quotedPcrs.map(pcrValue))),
    options.trailing ?? new Uint8Array(),
  )
}

export interface TestAk {
  readonly scheme: SchemeName
  readonly jwk: JsonWebKey
  readonly publicArea: Uint8Array
  /** TPMT_SIGNATURE over the bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** A key that signs as a TPM would. */
export async function makeAk(
  scheme: SchemeName = 'ecdsa',
  options: PublicAreaOptions & { readonly modulusLength?: number; readonly saltLength?: number } = {},
): Promise<TestAk> {
  const { name } = schemes[scheme]
  const { modulusLength = 2048, saltLength = 32 } = options
  const rsa = { name, modulusLength, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }
  const algorithm = scheme === 'ecdsa' ? { name, namedCurve: 'P-256' } : rsa
  const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey)
  return {
    scheme,
    jwk,
    publicArea: publicArea(scheme, jwk, options),
    async sign(bytes) {
      const how = { name, hash: 'SHA-256', saltLength }
      const raw = new Uint8Array(await crypto.subtle.sign(how, keys.privateKey, new Uint8Array(bytes)))
      const numbers = scheme === 'ecdsa' ? [raw.slice(0, 32), raw.slice(32)] : [raw]
      return concatBytes(u16(schemes[scheme].id), u16(0x0b), ...numbers.map(tpm2b))
    },
  }
}

export const akAuthority = () => generateSigningKeyPair(seeded('authority for attestation keys'))
export const ekRoot = '11'.repeat(32)
export const tpmNowMs = Date.UTC(2026, 5, 1)

/** `mlc-ak+jwt` for the key, for an hour around `tpmNowMs`. */
export function credentialFor(
  publicAreaBytes: Uint8Array,
  changes: Partial<Parameters<typeof signAkCredential>[0]> = {},
): Promise<string> {
  return signAkCredential({
    authority: akAuthority(),
    nowMs: tpmNowMs - 1_800_000,
    expiresAtMs: tpmNowMs + 1_800_000,
    akName: parsePublicArea(publicAreaBytes).name,
    ekSpkiSha256: '22'.repeat(32),
    ekRootSpkiSha256: ekRoot,
    ...changes,
  })
}

/** Evidence, all in order but for the changes. */
export async function tpmEvidence(
  ak: TestAk,
  attest: AttestOptions = {},
  changes: Partial<TpmEvidence> = {},
): Promise<Uint8Array> {
  const bytes = attestBytes(attest)
  return encodeTpmEvidence({
    attest: bytes,
    signature: await ak.sign(bytes),
    akPublic: ak.publicArea,
    pcrs: testPcrs,
    akCredential: changes.akCredential ?? (await credentialFor(ak.publicArea)),
    ...changes,
  })
}
