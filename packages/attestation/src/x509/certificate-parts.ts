// SPDX-License-Identifier: Apache-2.0
import { readTlvs } from './tlv.ts'

/** The version comes first, but may be left out. */
const versionTag = 0xa0

export interface CertificateParts {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly spki: Uint8Array
}

/**
 * Parts of a certificate as they are encoded in it, not as a library would encode them anew: names are compared, and keys
 * pinned, by these bytes.
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1
 */
export function certificateParts(der: Uint8Array, refuse: (detail: string) => Error): CertificateParts {
  const [outer] = readTlvs(der, refuse)
  const [signed] = readTlvs(outer?.value ?? der, refuse)
  const values = readTlvs(signed?.value ?? der, refuse).filter(({ tag }) => tag !== versionTag)
  const [, , issuer, , subject, spki] = values
  if (issuer === undefined || subject === undefined || spki === undefined) {
    throw refuse('a certificate lacks a name or a key')
  }
  return { issuer: issuer.whole, subject: subject.whole, spki: spki.whole }
}
