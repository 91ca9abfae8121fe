// SPDX-License-Identifier: Apache-2.0
import { equalBytes, fromHex, sha256, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { type IsvSvnLevel, levelOfSvn } from './json-fields.ts'
import type { QeIdentity } from './qe-identity.ts'
import type { DcapQuote } from './quote.ts'
import { unknownTcb } from './tcb-status.ts'

function mismatch(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'evidence.qeReport' })
}

/**
 * Holds the quoting enclave that made a quote against Intel's word for it: that it vouches for the attestation key, and is
 * the genuine one, which a debug copy of it is not.
 * @returns the level of its SVN
 * @throws AttestationError `ATTESTATION_ENDORSEMENT_MISMATCH`; `ATTESTATION_TCB_REVOKED` for an SVN below all levels
 * @see Intel SGX DCAP Quote Verification Library, "Verification flow", enclave report
 */
export function checkQuotingEnclave(quote: DcapQuote<unknown>, identity: QeIdentity): IsvSvnLevel {
  const { attestationKey, qeAuthData, qeReport } = quote
  if (!equalBytes(sha256(attestationKey, qeAuthData), qeReport.reportData.subarray(0, 32))) {
    throw mismatch('the quoting enclave does not vouch for the attestation key')
  }
  if (toHex(qeReport.mrSigner) !== identity.mrsigner || qeReport.isvProdId !== identity.isvprodid) {
    throw mismatch('the quoting enclave is of another signer or product')
  }
  if (!equalsUnderMask(qeReport.miscSelect, identity.miscselect, identity.miscselectMask)) {
    throw mismatch('the quoting enclave has another MISCSELECT')
  }
  if (!equalsUnderMask(qeReport.attributes, identity.attributes, identity.attributesMask)) {
    throw mismatch('the quoting enclave has other attributes')
  }
  const level = levelOfSvn(identity.tcbLevels, qeReport.isvSvn)
  if (level === undefined) throw unknownTcb(`ISVSVN ${qeReport.isvSvn} of the quoting enclave`)
  return level
}

/** @param expected hex; a bit of it outside the mask fits nothing */
function equalsUnderMask(found: Uint8Array, expected: string, maskHex: string): boolean {
  const mask = fromHex(maskHex)
  return toHex(found.map((byte, i) => byte & (mask[i] ?? 0))) === expected
}
