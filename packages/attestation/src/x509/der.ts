// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'

const sequenceTag = 0x30
const bitStringTag = 0x03
/** The version comes first, but may be left out. */
const versionTag = 0xa0

/** Where the content of the element at an offset starts, and how long it says to be; null for a form that DER has not. */
function readHeader(
  der: Uint8Array,
  at: number,
): { readonly from: number; readonly sizeBytes: number } | null {
  const lead = der[at + 1] ?? 0
  const lengthSizeBytes = lead < 0x80 ? 0 : lead & 0x7f
  if (lengthSizeBytes > 4 || lead === 0x80) return null
  let sizeBytes = lengthSizeBytes === 0 ? lead : 0
  for (let i = 0; i < lengthSizeBytes; i++) sizeBytes = sizeBytes * 256 + (der[at + 2 + i] ?? 0)
  return { from: at + 2 + lengthSizeBytes, sizeBytes }
}

/**
 * Holds the outermost length of a DER structure against what is there: the parser would let bytes after it pass.
 * @throws what `refuse` makes
 */
export function assertDerSize(
  der: Uint8Array,
  maxSizeBytes: number,
  what: string,
  refuse: (detail: string) => Error,
): void {
  if (der.length > maxSizeBytes)
    throw refuse(`${what} has ${der.length} bytes, at most ${maxSizeBytes} are read`)
  const header = readHeader(der, 0)
  if (der[0] !== sequenceTag || header === null) throw refuse(`${what} is not a DER sequence`)
  const wholeSizeBytes = header.from + header.sizeBytes
  if (wholeSizeBytes !== der.length) {
    throw refuse(`${what} says that it has ${wholeSizeBytes} bytes, there are ${der.length}`)
  }
}

/**
 * Holds what stands beside the signed part to its only form: the algorithm that is signed too, and a signature of whole
 * bytes. Nobody signs it, so anyone could change it.
 * @param der a certificate or a list of revoked ones, of the size that it says
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1.1, §5.1.1
 */
export function assertSignedForm(der: Uint8Array, what: string, refuse: (detail: string) => Error): void {
  const [outer] = elements(der)
  const [signed, algorithm, signature, ...more] = elements(outer?.content)
  const inside = elements(signed?.content).find(({ tag }) => tag === sequenceTag)
  if (inside === undefined || algorithm === undefined || !equalBytes(inside.whole, algorithm.whole)) {
    throw refuse(`${what} does not sign the algorithm that it is signed with`)
  }
  const unusedBits = signature?.content[0]
  if (signature?.tag === bitStringTag && unusedBits === 0 && more.length === 0) return
  throw refuse(`${what} does not end with a signature`)
}

export interface CertificateParts {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly spki: Uint8Array
}

/**
 * Parts of a certificate as they are encoded in it, not as they would be encoded anew.
 * @param der of the size that it says
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1
 */
export function certificateParts(der: Uint8Array, refuse: (detail: string) => Error): CertificateParts {
  const [outer] = elements(der)
  const [signed] = elements(outer?.content)
  const [, , issuer, , subject, spki] = elements(signed?.content).filter(({ tag }) => tag !== versionTag)
  if (issuer === undefined || subject === undefined || spki === undefined) {
    throw refuse('a certificate lacks a name or a key')
  }
  return { issuer: issuer.whole, subject: subject.whole, spki: spki.whole }
}

interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** Elements of DER, one after the other, up to one that overruns or is of another form. */
function elements(der: Uint8Array = new Uint8Array(0)): readonly Element[] {
  const found: Element[] = []
  let at = 0
  while (at < der.length) {
    const header = readHeader(der, at)
    if (header === null || header.from + header.sizeBytes > der.length) break
    const end = header.from + header.sizeBytes
    found.push({ tag: der[at] ?? 0, content: der.subarray(header.from, end), whole: der.subarray(at, end) })
    at = end
  }
  return found
}
