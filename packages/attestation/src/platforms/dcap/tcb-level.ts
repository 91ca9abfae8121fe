// SPDX-License-Identifier: Apache-2.0
import type { PckExtension } from './pck-extension.ts'
import type { TcbLevel } from './tcb-info.ts'
import { unknownTcb } from './tcb-status.ts'

/**
 * The first level, in Intel's order, that a platform reaches in all components.
 * @param teeTcbSvn of a trust domain, 16 bytes; null for an SGX enclave
 * @throws AttestationError `ATTESTATION_TCB_REVOKED` where it reaches none
 * @see Intel Trusted Services API, v4, "Get TCB Info", how to determine the TCB status
 */
export function selectTcbLevel<Level extends TcbLevel>(
  levels: readonly Level[],
  { components, pceSvn }: PckExtension,
  teeTcbSvn: Uint8Array | null,
): Level {
  const found = levels.find(
    ({ tcb }) =>
      tcb.sgxtcbcomponents.every(({ svn }, i) => (components[i] ?? -1) >= svn) &&
      pceSvn >= tcb.pcesvn &&
      (teeTcbSvn === null || reachesTdx(teeTcbSvn, tcb.tdxtcbcomponents)),
  )
  if (found === undefined) throw unknownTcb("the state of the platform's firmware")
  return found
}

/** The first two components are those of the TDX module, which has levels of its own where it has a version. */
function reachesTdx(teeTcbSvn: Uint8Array, wanted: TcbLevel['tcb']['tdxtcbcomponents']): boolean {
  if (wanted === undefined) return false
  const from = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0
  return wanted.every(({ svn }, i) => i < from || (teeTcbSvn[i] ?? -1) >= svn)
}
