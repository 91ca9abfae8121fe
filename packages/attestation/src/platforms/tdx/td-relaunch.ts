// SPDX-License-Identifier: Apache-2.0
import type { TdxTcbInfo } from '../dcap/tcb-info.ts'
import { type DcapTcbStatus, unknownTcb } from '../dcap/tcb-status.ts'
import { findModuleIdentity, moduleId } from './tdx-module.ts'

export interface RelaunchInput {
  readonly tcbInfo: TdxTcbInfo
  /** Of the report: as it is now. 16 bytes. */
  readonly teeTcbSvn2: Uint8Array
  /** Of the first level whose SGX components the platform reaches. */
  readonly sgxStatus: string
  /** The platform's, with the module counted in. */
  readonly tdxStatus: DcapTcbStatus
  readonly moduleStatus: string
  readonly qeStatus: string
}

const currentSgx: readonly string[] = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
]

/**
 * A trust domain shows the TCB of its launch. Where only that is out of date, and the machine has been brought up to date
 * under it since, launching it anew is all that is needed.
 * @throws AttestationError `ATTESTATION_TCB_REVOKED` where Intel does not list the module that runs now
 * @see Intel SGX DCAP Quote Verification Library, "Verification flow", TD relaunch (TD report 1.5)
 */
export function statusWithRelaunch(input: RelaunchInput): DcapTcbStatus {
  const { sgxStatus, tdxStatus, moduleStatus, qeStatus } = input
  const isOutOfDate = tdxStatus === 'OutOfDate' || tdxStatus === 'OutOfDateConfigurationNeeded'
  const onlyLaunchIs =
    currentSgx.includes(sgxStatus) && moduleStatus === 'OutOfDate' && qeStatus === 'UpToDate'
  if (!isOutOfDate || !onlyLaunchIs || !isNewest(input)) return tdxStatus
  const needsConfiguration = [sgxStatus, tdxStatus].some((it) => it.includes('Configuration'))
  return needsConfiguration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised'
}

function isNewest({ tcbInfo, teeTcbSvn2 }: RelaunchInput): boolean {
  const [moduleSvn = 0, majorVersion = 0, third = 0] = teeTcbSvn2
  const newest = tcbInfo.tcbLevels[0]?.tcb.tdxtcbcomponents
  const [newestModuleSvn, , newestThird] = newest?.map(({ svn }) => svn) ?? []
  if (newestModuleSvn === undefined || newestThird === undefined) return false
  if (majorVersion === 0) return moduleSvn >= newestModuleSvn && third >= newestThird
  const identity = findModuleIdentity(tcbInfo, majorVersion)
  if (identity === undefined) throw unknownTcb(`TDX module ${moduleId(majorVersion)}`)
  const [level] = identity.tcbLevels
  return level !== undefined && moduleSvn >= level.tcb.isvsvn && third >= newestThird
}
