// SPDX-License-Identifier: Apache-2.0

/** Labels of the dimensions of each operand and of the result, as numbers. */
export interface EinsumLabels {
  readonly operands: readonly (readonly number[])[]
  readonly output: readonly number[]
}

/** Labels of the dimensions of an ellipsis, counted from the right, come after those of all letters. */
const ellipsisLabel = 128

/** Without two repetitions side by side, which would take time with the square of a hostile equation's length. */
const termPattern = /^([A-Za-z]*)(?:(\.\.\.)([A-Za-z]*))?$/

const lettersOf = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0))
const ellipsisOf = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => ellipsisLabel + count - 1 - i)

/**
 * Reads an equation such as `bij,bjk->bik`, `...ii->...i`, or one without a result, which then has every letter that is there
 * once, in the order of the alphabet.
 * @param ranks of the operands
 * @returns null if it does not fit them, or is no equation
 */
export function parseEinsum(equation: string, ranks: readonly number[]): EinsumLabels | null {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->')
  const terms = (left ?? '').split(',').map((term) => termPattern.exec(term))
  if (more.length > 0 || terms.length !== ranks.length) return null
  let ellipsisRank = 0
  const operands: number[][] = []
  for (const [i, term] of terms.entries()) {
    if (term === null) return null
    const before = lettersOf(term[1] ?? '')
    const after = lettersOf(term[3] ?? '')
    const rest = (ranks[i] as number) - before.length - after.length
    if (rest < 0 || (rest > 0 && term[2] === undefined)) return null
    ellipsisRank = Math.max(ellipsisRank, rest)
    operands.push([...before, ...ellipsisOf(rest), ...after])
  }
  if (right === undefined) {
    const letters = operands.flat().filter((label) => label < ellipsisLabel)
    const single = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label))
    return { operands, output: [...ellipsisOf(ellipsisRank), ...single.sort((a, b) => a - b)] }
  }
  const term = termPattern.exec(right)
  if (term === null || (ellipsisRank > 0 && term[2] === undefined)) return null
  const ellipsis = term[2] === undefined ? [] : ellipsisOf(ellipsisRank)
  const output = [...lettersOf(term[1] ?? ''), ...ellipsis, ...lettersOf(term[3] ?? '')]
  const known = new Set(operands.flat())
  const isFit = new Set(output).size === output.length && output.every((label) => known.has(label))
  return isFit ? { operands, output } : null
}
