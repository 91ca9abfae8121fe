// SPDX-License-Identifier: Apache-2.0
// For benchmarks: cases with everything that they need read beforehand, so that a call does nothing but verify.
import type { VectorCase } from './case.ts'
import { caseContext } from './cases/dcap.ts'
import { nitroVerification } from './cases/nitro.ts'
import { sgxKind } from './cases/sgx.ts'
import { snpVerification } from './cases/snp.ts'
import { tdxKind } from './cases/tdx.ts'
import { tpmVerification } from './cases/tpm.ts'

export { missing, sharedDir } from '../support/shared.ts'
export { readCase } from './case.ts'
export { dcapQvlVerification } from './dcap-qvl.ts'

/** By the folder that the cases lie in. Each throws where the evidence is refused. */
export const verifications: Readonly<Record<string, (vector: VectorCase) => () => Promise<unknown>>> = {
  sgx(vector) {
    const { bytes, context } = caseContext(sgxKind, vector)
    return () => sgxKind.verifyUnbound(bytes, context)
  },
  tdx(vector) {
    const { bytes, context } = caseContext(tdxKind, vector)
    return () => tdxKind.verifyUnbound(bytes, context)
  },
  snp: (vector) => snpVerification(vector).verify,
  nitro: (vector) => nitroVerification(vector).verify,
  tpm: tpmVerification,
}
