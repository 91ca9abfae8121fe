// SPDX-License-Identifier: Apache-2.0
import { encodeCbor, sha256, toHex } from '@mlcapsule/crypto'
import { type NitroTrustStore, nitroTrustStore } from '../src/platforms/nitro/index.ts'
import { type AuthorityChain, type ChainChanges, chainNowMs, issue, p384 } from './certificates.ts'

export const nitroReportData: Uint8Array = new Uint8Array(64).fill(7)

/** A root, an authority and the certificate of a module, all of P-384, in order but for the changes. */
export async function nitroChain(changes: ChainChanges = {}, leafAlgorithm = p384): Promise<AuthorityChain> {
  const root = await issue({ name: 'aws.nitro-enclaves', isCa: true, ...changes.root }, null, p384)
  const middle = await issue({ name: 'zone', isCa: true, serial: '02', ...changes.middle }, root, p384)
  const leaf = await issue({ name: 'module', serial: '03', ...changes.leaf }, middle, leafAlgorithm)
  return { root, middle, leaf, certificates: [leaf, middle, root].map((it) => it.certificate) }
}

export const pcr = (fill: number): Uint8Array => new Uint8Array(48).fill(fill)

/** What a test can get wrong in a payload; undefined leaves a member out. */
export type PayloadChanges = Readonly<Record<string, unknown>>

export function nitroPayload({ root, middle, leaf }: AuthorityChain, changes: PayloadChanges = {}): object {
  const all = {
    module_id: 'i-0-enc0',
    digest: 'SHA384',
    timestamp: chainNowMs - 60_000,
    pcrs: new Map([0, 1, 2, 3, 4].map((it) => [it, pcr(it === 3 ? 0 : 0xa0 + it)])),
    certificate: leaf.certificate.der,
    cabundle: [root.certificate.der, middle.certificate.der],
    public_key: null,
    user_data: nitroReportData,
    nonce: null,
    ...changes,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** What a test can get wrong in the message around a payload. */
export interface MessageChanges {
  readonly protectedHeader?: ReadonlyMap<unknown, unknown>
  readonly unprotected?: ReadonlyMap<unknown, unknown>
  readonly hash?: string
  /** What is signed in place of "Signature1". */
  readonly context?: string
}

/** Signs a payload as the module does: COSE_Sign1 without its tag. */
export async function signNitro(
  payload: Uint8Array,
  { leaf }: Pick<AuthorityChain, 'leaf'>,
  changes: MessageChanges = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { protectedHeader = new Map([[1, -35]]), unprotected = new Map(), hash = 'SHA-384' } = changes
  const header = encodeCbor(protectedHeader)
  const signed = encodeCbor([changes.context ?? 'Signature1', header, new Uint8Array(0), payload])
  const algorithm = { name: 'ECDSA', hash }
  const signature = new Uint8Array(await crypto.subtle.sign(algorithm, leaf.keys.privateKey, signed))
  return encodeCbor([header, unprotected, payload, signature])
}

export async function nitroDocument(
  chain: AuthorityChain,
  payload: PayloadChanges = {},
  message: MessageChanges = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await signNitro(encodeCbor(nitroPayload(chain, payload)), chain, message)
}

export const nitroTestStore = ({ root }: Pick<AuthorityChain, 'root'>): NitroTrustStore =>
  nitroTrustStore([toHex(sha256(root.certificate.der))])
