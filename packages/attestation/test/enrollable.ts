// SPDX-License-Identifier: Apache-2.0
import type { EnrollmentRequest } from '../src/platforms/tpm/enrollment-files.ts'
import { ExtendedKeyUsageExtension, KeyUsageFlags } from '../src/x509/library.ts'
import { issue, makeCrl } from './certificates.ts'
import { makeAk } from './tpm.ts'

/** A request that a provider who trusts the root can make an offer for. Nobody holds the keys of its TPM. */
export interface Enrollable {
  readonly request: EnrollmentRequest
  /** DER. */
  readonly root: Uint8Array
  readonly rootSpkiSha256: string
  /** DER, of both authorities, without a revoked certificate. */
  readonly revocationLists: readonly Uint8Array[]
}

/** Made just now, under a root of its own; holds at `chainNowMs`. */
export async function makeEnrollable(): Promise<Enrollable> {
  const root = await issue({ name: 'Maker Root', isCa: true }, null)
  const middle = await issue({ name: 'Maker', isCa: true, serial: '02' }, root)
  const extensions = [new ExtendedKeyUsageExtension(['2.23.133.8.1'])]
  const leaf = await issue(
    { name: 'TPM', serial: '03', keyUsage: KeyUsageFlags.keyAgreement, extensions },
    middle,
  )
  const { publicArea } = await makeAk()
  return {
    request: { akPublic: publicArea, chain: [leaf.certificate.der, middle.certificate.der] },
    root: root.certificate.der,
    rootSpkiSha256: root.certificate.spkiSha256,
    revocationLists: await Promise.all([makeCrl(root), makeCrl(middle)]),
  }
}
