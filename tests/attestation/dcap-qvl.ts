// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto'
import qvl, { type Collateral } from '@phala/dcap-qvl'
import type { VectorCase } from './case.ts'

/** A case of SGX or TDX, ready for another verifier of such quotes: its status, or null for a refusal. */
export function dcapQvlVerification(vector: VectorCase): () => string | null {
  const { trustAnchor, now, evidenceFile } = vector.expected
  const verifier =
    trustAnchor === 'intel-sgx-root'
      ? qvl.QuoteVerifier.newProd()
      : qvl.QuoteVerifier.newWithRootCa(new X509Certificate(vector.text(trustAnchor)).raw)
  const collateral = JSON.parse(vector.text('collateral.json')) as Collateral
  const quote = vector.read(evidenceFile)
  return () => {
    try {
      return verifier.verify(quote, collateral, Date.parse(now) / 1000).status
    } catch {
      return null
    }
  }
}

export const dcapQvlStatus = (vector: VectorCase): string | null => dcapQvlVerification(vector)()
