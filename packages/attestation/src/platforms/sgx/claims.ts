// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import type { DcapClaims } from '../dcap/claims.ts'
import { type FlagNames, flagsOf } from '../dcap/flags.ts'
import type { SgxReportBody } from '../dcap/report-bodies.ts'

/** @see Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3D, §34.7.1 "ATTRIBUTES" */
const flagNames: FlagNames = new Map([
  [0, 'INIT'],
  [1, 'DEBUG'],
  [2, 'MODE64BIT'],
  [4, 'PROVISION_KEY'],
  [5, 'EINITTOKEN_KEY'],
  [6, 'CET'],
  [7, 'KSS'],
  [10, 'AEX_NOTIFY'],
])

export const sgxFlags: readonly string[] = [...flagNames.values()]

/** All that a genuine quote of an SGX enclave says. Byte strings are lower-case hex, in the order of the quote. */
export interface SgxClaims extends DcapClaims {
  readonly cpuSvn: string
  readonly miscSelect: string
  /** Names of the attribute flags that are set; `bit N` for one that has none here. */
  readonly flags: readonly string[]
  readonly xfrm: string
  readonly mrEnclave: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
  readonly isvExtProdId: string
  readonly isvFamilyId: string
  readonly configId: string
  readonly configSvn: number
  readonly reportData: string
}

export function sgxBodyClaims(body: SgxReportBody): Omit<SgxClaims, keyof DcapClaims> {
  return {
    cpuSvn: toHex(body.cpuSvn),
    miscSelect: toHex(body.miscSelect),
    flags: flagsOf(body.attributes.subarray(0, 8), flagNames),
    xfrm: toHex(body.attributes.subarray(8)),
    mrEnclave: toHex(body.mrEnclave),
    mrSigner: toHex(body.mrSigner),
    isvProdId: body.isvProdId,
    isvSvn: body.isvSvn,
    isvExtProdId: toHex(body.isvExtProdId),
    isvFamilyId: toHex(body.isvFamilyId),
    configId: toHex(body.configId),
    configSvn: body.configSvn,
    reportData: toHex(body.reportData),
  }
}
