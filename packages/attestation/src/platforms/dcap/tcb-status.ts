// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '../../errors.ts'
import type { LevelStatus } from './tcb-info.ts'

/** What a platform comes to; `Revoked` never gets this far. */
export type DcapTcbStatus =
  | Exclude<LevelStatus, 'Revoked'>
  | 'TDRelaunchAdvised'
  | 'TDRelaunchAdvisedConfigurationNeeded'

/** What a part that is out of date makes of the whole; a status that is not here stays. */
const lowered: Readonly<Partial<Record<DcapTcbStatus, 'OutOfDate' | 'OutOfDateConfigurationNeeded'>>> = {
  UpToDate: 'OutOfDate',
  SWHardeningNeeded: 'OutOfDate',
  ConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  ConfigurationAndSWHardeningNeeded: 'OutOfDateConfigurationNeeded',
}

/**
 * Status of the whole, given that of the platform and of a part: a quoting enclave or a TDX module.
 * @see Intel SGX DCAP Quote Verification Library, "Verification flow", convergence of TCB status
 */
export function mergeStatus(whole: DcapTcbStatus, part: 'UpToDate' | 'OutOfDate'): DcapTcbStatus {
  return part === 'OutOfDate' ? (lowered[whole] ?? whole) : whole
}

/** @throws AttestationError `ATTESTATION_TCB_REVOKED` */
export function assertNotRevoked<Status extends string>(
  status: Status,
  what: string,
): Exclude<Status, 'Revoked'> {
  if (status !== 'Revoked') return status as Exclude<Status, 'Revoked'>
  throw new AttestationError('ATTESTATION_TCB_REVOKED', `Intel has revoked ${what}`, { field: 'evidence' })
}

export function unknownTcb(what: string): AttestationError {
  const detail = `${what} is below all levels that Intel knows, or unknown to it`
  return new AttestationError('ATTESTATION_TCB_REVOKED', detail, { field: 'evidence' })
}
