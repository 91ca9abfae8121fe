// SPDX-License-Identifier: Apache-2.0

import { Certificate } from '../src/x509/certificate.ts'
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '../src/x509/library.ts'

export const chainNowMs = Date.UTC(2026, 5, 1)
const [startMs, endMs] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)]

export const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
export const rsaPss = {
  name: 'RSA-PSS',
  hash: 'SHA-384',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
}
export const p384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }

/** What a test can get wrong in one certificate. Names are common names. */
export interface CertificateOptions {
  readonly name: string
  /** Of the issuer, where it is to be another than the signer's name. */
  readonly issuerName?: string
  readonly serial?: string
  readonly notBeforeMs?: number
  readonly notAfterMs?: number
  readonly isCa?: boolean
  readonly pathLength?: number
  /** Flags, or null for none. */
  readonly keyUsage?: number | null
  readonly extensions?: readonly Extension[]
  /** That is signed over, SHA-256 when absent. */
  readonly hash?: string
}

export interface Issued {
  readonly certificate: Certificate
  readonly keys: CryptoKeyPair
}

const caUsage = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign

export async function makeKeys(
  algorithm: EcKeyGenParams | RsaHashedKeyGenParams = p256,
): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
}

/** RSA keys sign with the hash they were made for and, with PSS, AMD's salt. */
function signingAlgorithmOf({ privateKey }: CryptoKeyPair): EcdsaParams {
  return { hash: 'SHA-256', saltLength: 48, ...privateKey.algorithm } as EcdsaParams
}

/** Issues a certificate; without an issuer it is a root that signs itself. */
export async function issue(
  options: CertificateOptions,
  issuer: Issued | null,
  algorithm: Parameters<typeof makeKeys>[0] & object = p256,
): Promise<Issued> {
  const keys = await makeKeys(algorithm)
  const { isCa = false, keyUsage = isCa ? caUsage : KeyUsageFlags.digitalSignature } = options
  const made = await X509CertificateGenerator.create({
    serialNumber: options.serial ?? '01',
    subject: `CN=${options.name}`,
    issuer: `CN=${options.issuerName ?? issuer?.certificate.commonName ?? options.name}`,
    notBefore: new Date(options.notBeforeMs ?? startMs),
    notAfter: new Date(options.notAfterMs ?? endMs),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: {
      ...signingAlgorithmOf(issuer?.keys ?? keys),
      ...(options.hash === undefined ? {} : { hash: options.hash }),
    },
    extensions: [
      new BasicConstraintsExtension(isCa, options.pathLength, true),
      ...(keyUsage === null ? [] : [new KeyUsagesExtension(keyUsage, true)]),
      ...(options.extensions ?? []),
    ],
  })
  return { certificate: new Certificate(new Uint8Array(made.rawData)), keys }
}

export interface ChainChanges {
  readonly root?: Partial<CertificateOptions>
  readonly middle?: Partial<CertificateOptions>
  readonly leaf?: Partial<CertificateOptions>
}

export interface AuthorityChain {
  readonly root: Issued
  readonly middle: Issued
  readonly leaf: Issued
  /** From the leaf to the root. */
  readonly certificates: readonly Certificate[]
}

/** A root, an authority below it and a leaf, all in order but for the changes. */
export async function testChain(changes: ChainChanges = {}): Promise<AuthorityChain> {
  const root = await issue({ name: 'Test Root', isCa: true, ...changes.root }, null)
  const middle = await issue({ name: 'Test Authority', isCa: true, serial: '02', ...changes.middle }, root)
  const leaf = await issue({ name: 'Test Leaf', serial: '03', ...changes.leaf }, middle)
  return { root, middle, leaf, certificates: [leaf, middle, root].map((it) => it.certificate) }
}

export interface CrlOptions {
  readonly revokedSerials?: readonly string[]
  readonly thisUpdateMs?: number
  readonly nextUpdateMs?: number | null
  readonly issuerName?: string
  readonly extensions?: readonly Extension[]
  /** Of each entry. */
  readonly entryExtensions?: readonly Extension[]
}

/** A list in DER by this issuer. */
export async function makeCrl(issuer: Issued, options: CrlOptions = {}): Promise<Uint8Array> {
  const { nextUpdateMs = endMs } = options
  const made = await X509CrlGenerator.create({
    issuer: `CN=${options.issuerName ?? issuer.certificate.commonName}`,
    thisUpdate: new Date(options.thisUpdateMs ?? startMs),
    ...(nextUpdateMs === null ? {} : { nextUpdate: new Date(nextUpdateMs) }),
    extensions: [...(options.extensions ?? [])],
    entries: (options.revokedSerials ?? []).map((serialNumber) => ({
      serialNumber,
      extensions: [...(options.entryExtensions ?? [])],
    })),
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: signingAlgorithmOf(issuer.keys),
  })
  return new Uint8Array(made.rawData)
}

/** Certificates as PEM, in this order. */
export function pemOf(...certificates: readonly Certificate[]): string {
  const bodies = certificates.map(({ der }) => btoa(String.fromCharCode(...der)))
  return bodies.map((it) => `-----BEGIN CERTIFICATE-----\n${it}\n-----END CERTIFICATE-----\n`).join('')
}
