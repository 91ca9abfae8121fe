// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import type { DcapClaims } from '../dcap/claims.ts'
import { type FlagNames, flagsOf } from '../dcap/flags.ts'
import type { TdReportBody } from '../dcap/report-bodies.ts'

/** Any of the first eight bits (TUD, "TD under debug") lets the host look inside, or lowers trust in another way. */
export const debugFlags: readonly string[] = ['DEBUG', ...[1, 2, 3, 4, 5, 6, 7].map((bit) => `bit ${bit}`)]

/** @see Intel TDX Module ABI Reference Specification, "ATTRIBUTES" of a TD */
const flagNames: FlagNames = new Map([
  [0, 'DEBUG'],
  [28, 'SEPT_VE_DISABLE'],
  [29, 'MIGRATABLE'],
  [30, 'PKS'],
  [31, 'KL'],
  [63, 'PERFMON'],
])

export const tdFlags: readonly string[] = [...flagNames.values()]

/** All that a genuine quote of a trust domain says. Byte strings are lower-case hex, in the order of the quote. */
export interface TdxClaims extends DcapClaims {
  readonly teeTcbSvn: string
  readonly mrSeam: string
  readonly mrSignerSeam: string
  readonly seamAttributes: string
  /** Names of the attribute flags that are set; `bit N` for one that has none here. */
  readonly flags: readonly string[]
  readonly xfam: string
  readonly mrTd: string
  readonly mrConfigId: string
  readonly mrOwner: string
  readonly mrOwnerConfig: string
  readonly rtmr0: string
  readonly rtmr1: string
  readonly rtmr2: string
  readonly rtmr3: string
  readonly reportData: string
  /** Null before TDX 1.5. */
  readonly teeTcbSvn2: string | null
  /** Null before TDX 1.5. */
  readonly mrServiceTd: string | null
}

export function tdBodyClaims(body: TdReportBody): Omit<TdxClaims, keyof DcapClaims> {
  return {
    teeTcbSvn: toHex(body.teeTcbSvn),
    mrSeam: toHex(body.mrSeam),
    mrSignerSeam: toHex(body.mrSignerSeam),
    seamAttributes: toHex(body.seamAttributes),
    flags: flagsOf(body.tdAttributes, flagNames),
    xfam: toHex(body.xfam),
    mrTd: toHex(body.mrTd),
    mrConfigId: toHex(body.mrConfigId),
    mrOwner: toHex(body.mrOwner),
    mrOwnerConfig: toHex(body.mrOwnerConfig),
    rtmr0: toHex(body.rtmr0),
    rtmr1: toHex(body.rtmr1),
    rtmr2: toHex(body.rtmr2),
    rtmr3: toHex(body.rtmr3),
    reportData: toHex(body.reportData),
    teeTcbSvn2: body.teeTcbSvn2 === null ? null : toHex(body.teeTcbSvn2),
    mrServiceTd: body.mrServiceTd === null ? null : toHex(body.mrServiceTd),
  }
}
