// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { type IsvSvnLevel, levelOfSvn } from '../dcap/json-fields.ts'
import type { TdReportBody } from '../dcap/report-bodies.ts'
import type { TdxModuleIdentity, TdxTcbInfo } from '../dcap/tcb-info.ts'
import { unknownTcb } from '../dcap/tcb-status.ts'

export interface TdxModuleLevel {
  readonly id: string
  readonly level: IsvSvnLevel
}

/** The identity of the module of a major version; undefined where Intel has none. */
export function findModuleIdentity(tcbInfo: TdxTcbInfo, majorVersion: number): TdxModuleIdentity | undefined {
  const id = moduleId(majorVersion)
  return tcbInfo.tdxModuleIdentities.find((it) => it.id === id)
}

export function moduleId(majorVersion: number): string {
  return `TDX_${toHex(Uint8Array.of(majorVersion)).toUpperCase()}`
}

/**
 * Holds the TDX module that made a report against Intel's word for it: one of its major version, or of all where it has no
 * version. Production modules have no attribute set.
 * @returns its level; null for a module without a version, whose SVN is a component of the platform's
 * @throws AttestationError `ATTESTATION_ENDORSEMENT_MISMATCH`; `ATTESTATION_TCB_REVOKED` for a version or an SVN that Intel
 * does not list
 * @see Intel TDX DCAP Quoting Library API and Intel Trusted Services API, v4, "Get TDX TCB Info", TDX module identity
 */
export function checkTdxModule(tcbInfo: TdxTcbInfo, body: TdReportBody): TdxModuleLevel | null {
  const [isvSvn = 0, majorVersion = 0] = body.teeTcbSvn
  if (majorVersion === 0) {
    assertModule(tcbInfo.tdxModule, body)
    return null
  }
  const identity = findModuleIdentity(tcbInfo, majorVersion)
  if (identity === undefined) throw unknownTcb(`TDX module ${moduleId(majorVersion)}`)
  assertModule(identity, body)
  const level = levelOfSvn(identity.tcbLevels, isvSvn)
  if (level === undefined) throw unknownTcb(`ISVSVN ${isvSvn} of TDX module ${identity.id}`)
  return { id: identity.id, level }
}

function assertModule(
  expected: TdxTcbInfo['tdxModule'],
  { mrSignerSeam, seamAttributes }: TdReportBody,
): void {
  const mask = fromHex(expected.attributesMask)
  const underMask = toHex(seamAttributes.map((byte, i) => byte & (mask[i] ?? 0)))
  if (toHex(mrSignerSeam) !== expected.mrsigner) throw mismatch('is signed by another than Intel')
  if (seamAttributes.some((byte) => byte !== 0) || underMask !== expected.attributes) {
    throw mismatch('has attributes that no production module has')
  }
}

function mismatch(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', `the TDX module ${detail}`, {
    field: 'evidence.mrSignerSeam',
  })
}
