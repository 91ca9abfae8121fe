// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import type { PckAuthority } from './pck-chain.ts'
import type { PckExtension } from './pck-extension.ts'
import type { DcapQuote, Tee } from './quote.ts'
import type { LevelStatus } from './tcb-info.ts'
import type { DcapTcbStatus } from './tcb-status.ts'
import type { GenuineQuote } from './verify-quote.ts'

/** What the states of a platform's parts come to, and from what. */
export interface TcbEvaluation {
  readonly status: DcapTcbStatus
  /** Of the processor's firmware, before the other parts are counted in. */
  readonly platformStatus: Exclude<LevelStatus, 'Revoked'>
  readonly qeStatus: 'UpToDate' | 'OutOfDate'
  /** Null for SGX, and for a TDX module of before there were versions. */
  readonly module: { readonly id: string; readonly status: 'UpToDate' | 'OutOfDate' } | null
  /** Date of the platform's level. */
  readonly tcbDateMs: number
  /** Of all parts, in ascending order. */
  readonly advisoryIds: readonly string[]
}

/** What the claims of SGX and TDX have in common. Byte strings are lower-case hex. */
export interface DcapClaims {
  readonly quoteVersion: 3 | 4 | 5
  readonly tcb: TcbEvaluation
  /** Which of Intel's evaluations the TCB info is of: a later one knows of more attacks. */
  readonly tcbEvaluationDataNumber: number
  /** The same of the quoting enclave's identity. */
  readonly qeTcbEvaluationDataNumber: number
  /** Its PPID names one machine: keep it out of logs. */
  readonly pck: PckExtension
  readonly pckAuthority: PckAuthority
  /** The quoting enclave. */
  readonly qe: { readonly mrSigner: string; readonly isvProdId: number; readonly isvSvn: number }
}

export function commonClaims(
  { header, qeReport }: DcapQuote<unknown>,
  { pck, tcbInfo, qeIdentity }: GenuineQuote<Tee>,
  tcb: TcbEvaluation,
): DcapClaims {
  return {
    quoteVersion: header.version,
    tcb,
    tcbEvaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
    qeTcbEvaluationDataNumber: qeIdentity.tcbEvaluationDataNumber,
    pck: pck.extension,
    pckAuthority: pck.authority,
    qe: {
      mrSigner: toHex(qeReport.mrSigner),
      isvProdId: qeReport.isvProdId,
      isvSvn: qeReport.isvSvn,
    },
  }
}

export function unionOf(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort()
}
