// SPDX-License-Identifier: Apache-2.0
import type { AppraisalCheck } from '@mlcapsule/attestation'
import { fields, formatItems, printable, type Styles, table } from '@mlcapsule/terminal'
import type { PolicyCheckReport } from '../attestation/check-policy.ts'
import { listed, type Pairs } from './describe.ts'

/** Hashes by their ends, so that a line has room for them: the whole is among what was measured, and in JSON. */
function shortened(text: string): string {
  return text.replace(/\b[0-9a-f]{64,}\b/g, (hex) => `${hex.slice(0, 16)}…${hex.slice(-8)}`)
}

type Rows = readonly (readonly string[])[]

/** A line for what was found, and one for what was asked for where it is not that. */
function checkRows(check: AppraisalCheck, name: string, style: Styles): Rows {
  const { field, status } = check
  const found = shortened(printable(check.found))
  if (status === 'passed') return [[style.green('passed'), name, found]]
  if (status === 'unchecked') {
    const why = field === 'reportData' ? `  ${style.dim('(give --report-data)')}` : ''
    return [[style.yellow('unchecked'), name, `${found}${why}`]]
  }
  return [
    [style.red('failed'), name, found],
    ['', '', `asked for: ${shortened(printable(check.expected))}`],
  ]
}

/** The rules of the platform's section stand below its name. */
function allRows(checks: readonly AppraisalCheck[], platform: string, style: Styles): Rows {
  const section = `platforms.${platform}.`
  const own = checks.filter(({ field }) => !field.startsWith(section))
  const ofSection = checks.filter(({ field }) => field.startsWith(section))
  return [
    ...own.flatMap((it) => checkRows(it, it.field, style)),
    ...(ofSection.length === 0 ? [] : [['', style.dim(`platforms.${platform}`), '']]),
    ...ofSection.flatMap((it) => checkRows(it, `  ${it.field.slice(section.length)}`, style)),
  ]
}

function verifiedPairs({ verified }: PolicyCheckReport): Pairs {
  if (verified === null) return []
  const { tier, rootKind, root, measurement, tcbStatus, advisoryIds, producedAtMs } = verified
  const registers = Object.entries(measurement).map(([name, value]) => `${name} ${value}`)
  return [
    ['tier', tier],
    ['root', rootKind === 'simulated' ? `${root}, software: it vouches for nothing` : root],
    ...listed('measured', registers),
    ['firmware', tcbStatus],
    ...listed('advisories', advisoryIds),
    ...(producedAtMs === undefined ? [] : [['made at', new Date(producedAtMs).toISOString()] as const]),
  ]
}

/** A report as text: what is genuine, then every check with what was found, then the verdict. */
export function describeCheck(report: PolicyCheckReport, style: Styles): string {
  const { verified, checks, reasons } = report
  const rows = allRows(checks, report.platform, style)
  const count = (status: AppraisalCheck['status']) => checks.filter((it) => it.status === status).length
  const counts = `${formatItems(checks.length, 'check')}: ${count('passed')} passed, ${count('failed')} failed, ${count('unchecked')} unchecked`
  const verdict = {
    accepted: style.green('accepted'),
    unbound: `${style.yellow('not accepted')}, although nothing is wrong: nobody said what it has to bind; asked`,
    refused: style.red('refused'),
  }[report.status]
  const why = reasons.map(({ code, detail }) => `  ${code}: ${printable(detail)}`)
  const pairs = verifiedPairs(report).map(([name, value]) => [name, printable(value)] as const)
  const parts =
    verified === null
      ? [`${style.red('not genuine')}: nothing of it was held against the policy`]
      : [
          `${style.green('genuine')} evidence of platform ${report.platform}`,
          fields(pairs, { indent: '  ', nameStyle: style.dim }),
          table(rows, { indent: '  ' }),
          counts,
        ]
  return [...parts, [`${verdict} by policy ${printable(report.policy)}`, ...why].join('\n')].join('\n\n')
}
