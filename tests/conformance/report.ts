// SPDX-License-Identifier: Apache-2.0
import { table } from '@mlcapsule/terminal'
import type { Judgement, Verdict } from './judge.ts'
import type { ConformanceTest } from './suite.ts'

export interface JudgedTest extends ConformanceTest, Judgement {}

export type Tally = Record<Verdict, number>

export interface ConformanceReport {
  /** Tests that another runtime passes. */
  readonly marked: Tally
  /** The others. */
  readonly unmarked: Tally
  readonly operators: readonly (Tally & { readonly operator: string })[]
  readonly tests: readonly Pick<JudgedTest, 'name' | 'operator' | 'isMarked' | 'verdict' | 'detail'>[]
}

function tally(tests: readonly JudgedTest[]): Tally {
  const counts: Tally = { pass: 0, unsupported: 0, wrong: 0 }
  for (const { verdict } of tests) counts[verdict]++
  return counts
}

const operatorOf = ({ operator }: JudgedTest) => operator ?? '(graphs of several)'

export function summarize(tests: readonly JudgedTest[]): ConformanceReport {
  const names = [...new Set(tests.map(operatorOf))].sort()
  return {
    marked: tally(tests.filter((it) => it.isMarked)),
    unmarked: tally(tests.filter((it) => !it.isMarked)),
    operators: names.map((operator) => ({
      operator,
      ...tally(tests.filter((it) => operatorOf(it) === operator)),
    })),
    tests: tests.map(({ name, operator, isMarked, verdict, detail }) => ({
      name,
      operator,
      isMarked,
      verdict,
      detail,
    })),
  }
}

const total = ({ pass, unsupported, wrong }: Tally) => pass + unsupported + wrong
const percent = (part: number, whole: number) =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`
const cell = (count: number) => (count === 0 ? '' : String(count))

/** The report as tables, then every test that does not pass with its reason. */
export function formatReport({ marked, unmarked, operators, tests }: ConformanceReport): string {
  const perOperator = operators.map((it) => [
    it.operator,
    cell(it.pass),
    cell(it.unsupported),
    cell(it.wrong),
  ])
  const totals = [['marked pass in the index', marked] as const, ['not marked', unmarked] as const].map(
    ([name, it]) => [
      name,
      ...[total(it), it.pass, it.unsupported, it.wrong].map(String),
      percent(it.pass, total(it)),
    ],
  )
  const columns = ['pass', 'unsupported', 'wrong']
  const short = tests.filter((it) => it.verdict !== 'pass')
  return [
    table(perOperator, { head: ['operator', ...columns], align: 'lrrr' }),
    '',
    table(totals, { head: ['', 'tests', ...columns, 'pass share'], align: 'lrrrrr' }),
    ...(short.length === 0 ? [] : ['']),
    ...short.map(({ verdict, name, detail }) => `${verdict} ${name}: ${detail}`),
  ].join('\n')
}
