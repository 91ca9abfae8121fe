// SPDX-License-Identifier: Apache-2.0
import { concatBytes, equalBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { requireHash, type TpmHashName, tpmHashes, unsupported } from './algorithms.ts'
import { parseAttest, type QuoteInfo, type TpmAttest, tpmGeneratedMagic } from './attest.ts'
import type { PublicJwk } from './public-key.ts'
import { isSignedBy, parseSignature, type TpmSignature } from './signature.ts'

/** Values of registers: by bank, then by index. */
export type PcrBanks = ReadonlyMap<TpmHashName, ReadonlyMap<number, Uint8Array>>

export interface QuoteInput {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  /** The attestation key. That it is one, and whose, is for the caller to know. */
  readonly key: PublicJwk
  /** At least all values that the quote covers. */
  readonly pcrs: PcrBanks
  /** What the quote has to bind, in full: 1 to 66 bytes. `'any'` where it is looked at alone, and nothing decided by it. */
  readonly expectedNonce: Uint8Array | 'any'
}

export interface VerifiedQuote {
  readonly attest: TpmAttest
  readonly signature: TpmSignature
  /** The registers that the quote covers, and no other. */
  readonly pcrs: PcrBanks
}

/**
 * Checks a TPM 2.0 quote: signature over the bytes as they came, made by a TPM, a quote and nothing else, the nonce, and
 * the values of the registers. Only SHA-256, SHA-384 and SHA-512 count, in signatures and in banks.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for an empty expectation, `ATTESTATION_EVIDENCE_MALFORMED`,
 * `ATTESTATION_EVIDENCE_UNSUPPORTED`, `ATTESTATION_SIGNATURE_INVALID`, `ATTESTATION_REPORT_DATA_MISMATCH`,
 * `ATTESTATION_ENDORSEMENT_MISMATCH` for values that are not the quoted ones
 * @see TPM 2.0 Library, Part 3, §18.4 (TPM2_Quote)
 */
export async function verifyQuote(input: QuoteInput): Promise<VerifiedQuote> {
  const { key, expectedNonce } = input
  if (expectedNonce.length === 0) {
    throw new AttestationError('ATTESTATION_CLAIMS_INVALID', 'there is no nonce to expect', {
      field: 'expectedNonce',
    })
  }
  const attest = parseAttest(input.attest)
  const signature = parseSignature(input.signature)
  if (attest.magic !== tpmGeneratedMagic) throw malformed('the attested bytes were not made by a TPM')
  const { quote } = attest
  if (quote === null) throw unsupported(`the TPM attests type 0x${attest.type.toString(16)}, not a quote`)
  if (!(await isSignedBy(key, signature, input.attest))) {
    const detail = "the attestation key's signature does not verify"
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', detail, { field: 'evidence' })
  }
  if (expectedNonce !== 'any' && !equalBytes(attest.extraData, expectedNonce)) {
    const detail = 'the quote was made for other keys, another capsule or another challenge'
    throw new AttestationError('ATTESTATION_REPORT_DATA_MISMATCH', detail, { field: 'evidence.extraData' })
  }
  return { attest, signature, pcrs: quotedPcrs(quote, signature, input.pcrs) }
}

function malformed(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', detail, { field: 'evidence' })
}

/** The covered values, once they are found to hash to what was signed, in the order of the selection. */
function quotedPcrs(
  { selections, pcrDigest }: QuoteInfo,
  signature: TpmSignature,
  given: PcrBanks,
): PcrBanks {
  const covered = new Map<TpmHashName, ReadonlyMap<number, Uint8Array>>()
  const hashed: Uint8Array[] = []
  for (const { hashId, pcrs } of selections) {
    const bank = requireHash(hashId, 'a bank of registers')
    const values = pcrs.map((pcr) => [pcr, requireValue(given, bank.name, pcr)] as const)
    hashed.push(...values.map(([, value]) => value))
    if (values.length > 0) covered.set(bank.name, new Map(values))
  }
  if (hashed.length === 0) throw unsupported('the quote covers no register')
  const digest = requireHash(signature.hashId, 'the signature').digest(concatBytes(...hashed))
  if (equalBytes(digest, pcrDigest)) return covered
  const detail = 'the values of the registers do not hash to what the TPM has signed'
  throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'evidence.pcrs' })
}

function requireValue(given: PcrBanks, bank: TpmHashName, pcr: number): Uint8Array {
  const value = given.get(bank)?.get(pcr)
  if (value !== undefined && value.length === tpmHashes[bank].sizeBytes) return value
  throw malformed(`there is no value of ${bank} register ${pcr}, or one of another size`)
}
