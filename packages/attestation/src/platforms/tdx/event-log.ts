// SPDX-License-Identifier: Apache-2.0
import { equalBytes, fromHex, sha384 } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import type { TdxClaims } from './claims.ts'

const registerSizeBytes = 48
const eventsMaxCount = 65_536

export type RuntimeRegister = 'rtmr0' | 'rtmr1' | 'rtmr2' | 'rtmr3'

/**
 * What a register holds after events: it starts with zeros, and each event sets it to SHA-384(register ‖ digest).
 * @param digests of the events of this register, in order: SHA-384, 48 bytes each, at most 65,536 of them
 * @returns 48 bytes
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`
 * @see Intel TDX Module Base Architecture Specification, "RTMR: Run-Time Measurement Registers"
 */
export function replayEvents(digests: readonly Uint8Array[]): Uint8Array {
  if (digests.length > eventsMaxCount || digests.some((it) => it.length !== registerSizeBytes)) {
    const detail = `an event log has at most ${eventsMaxCount} digests of ${registerSizeBytes} bytes`
    throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', detail, { field: 'eventLog' })
  }
  return digests.reduce((register, digest) => sha384(register, digest), new Uint8Array(registerSizeBytes))
}

/**
 * Holds an event log against a register of a genuine quote. A log says nothing before it leads to the register; what its
 * events mean is for the caller to say, from data that hash to their digests.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_ENDORSEMENT_MISMATCH`
 */
export function assertEventLog(
  claims: Pick<TdxClaims, RuntimeRegister>,
  register: RuntimeRegister,
  digests: readonly Uint8Array[],
): void {
  if (equalBytes(replayEvents(digests), fromHex(claims[register]))) return
  const detail = `the event log of ${digests.length} events does not lead to ${register} of the quote`
  throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'eventLog' })
}
