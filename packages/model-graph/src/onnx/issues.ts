// SPDX-License-Identifier: Apache-2.0
import { ModelError, type ModelIssue, quote } from '../errors.ts'

const shownCount = 20

/**
 * One error for every node that is not supported.
 * @param supported names of operators that are
 * @throws ModelError if there is any issue
 */
export function refuseIssues(issues: readonly ModelIssue[], supported: Iterable<string>): void {
  if (issues.length === 0) return
  const lines = issues
    .slice(0, shownCount)
    .map(
      (it) =>
        `${it.operator} (${it.opset === 0 ? it.domain : `${it.domain} ${it.opset}`}) node ${quote(it.node)}: ${it.reason}`,
    )
  if (issues.length > shownCount) lines.push(`and ${issues.length - shownCount} more`)
  const code = issues.some((it) => it.code === 'MODEL_OPERATOR_UNSUPPORTED')
    ? 'MODEL_OPERATOR_UNSUPPORTED'
    : 'MODEL_DTYPE_UNSUPPORTED'
  const names = `Supported operators: ${[...supported].join(', ')}.`
  throw new ModelError(code, `${issues.length} unsupported nodes:\n  ${lines.join('\n  ')}\n${names}`, {
    issues,
  })
}
