// SPDX-License-Identifier: Apache-2.0
import { table } from '@mlcapsule/terminal'
import type { JudgedCase } from './judge.ts'

export interface KindTally {
  readonly kind: string
  readonly cases: number
  readonly accepted: number
  readonly refused: number
  readonly strictAccepted: number
  readonly fields: number
  readonly different: number
}

export function tally(judged: readonly JudgedCase[]): readonly KindTally[] {
  const kinds = [...new Set(judged.map(({ kind }) => kind))]
  return kinds.map((kind) => {
    const own = judged.filter((it) => it.kind === kind)
    const count = (holds: (it: JudgedCase) => boolean) => own.filter(holds).length
    return {
      kind,
      cases: own.length,
      accepted: count(({ outcome }) => outcome?.evidence === 'accept'),
      refused: count(({ outcome }) => outcome?.evidence === 'reject'),
      strictAccepted: count(({ outcome }) => outcome?.strictPolicy === 'accept'),
      fields: own.reduce((sum, { fieldCount }) => sum + fieldCount, 0),
      different: count(({ differences }) => differences.length > 0),
    }
  })
}

/** A table per kind, then every case that differs with what differs. */
export function formatReport(judged: readonly JudgedCase[]): string {
  const head = ['kind', 'cases', 'genuine', 'refused', 'strict policy accepts', 'fields equal', 'different']
  const rows = tally(judged).map((it) => [
    it.kind,
    String(it.cases),
    String(it.accepted),
    String(it.refused),
    String(it.strictAccepted),
    String(it.fields),
    String(it.different),
  ])
  const different = judged.filter(({ differences }) => differences.length > 0)
  const lines = different.flatMap(({ name, differences }) =>
    differences.map((it) => `different  ${name}  ${it}`),
  )
  return [table([head, ...rows]), ...(lines.length === 0 ? [] : ['', ...lines])].join('\n')
}
