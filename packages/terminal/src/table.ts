// SPDX-License-Identifier: Apache-2.0
import { pad, visibleWidth } from './text.ts'

export interface TableOptions {
  /** Titles of the columns, printed above them. */
  readonly head?: readonly string[]
  /** One letter per column: `l` left, `r` right. Columns beyond it are left. */
  readonly align?: string
  /** Put before every line. */
  readonly indent?: string
  /** How the titles look, for example `styles.dim`. */
  readonly headStyle?: (text: string) => string
}

/**
 * Rows in aligned columns, two spaces apart, without lines around them. Cells may be colored.
 * @returns the lines joined by a newline, without one at the end; no line ends in spaces
 */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { head, align = '', indent = '', headStyle = (text: string) => text } = options
  const all = head === undefined ? rows : [head, ...rows]
  const widths: number[] = []
  for (const row of all) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell))
    }
  }
  const lines = all.map((row, index) => {
    const isHead = head !== undefined && index === 0
    const cells = row.map((cell, column) => {
      const isLastLeft = column === row.length - 1 && align[column] !== 'r'
      const padded = pad(
        cell,
        isLastLeft ? 0 : (widths[column] ?? 0),
        align[column] === 'r' ? 'right' : 'left',
      )
      return isHead ? headStyle(padded) : padded
    })
    return (indent + cells.join('  ')).trimEnd()
  })
  return lines.join('\n')
}

/** Names and their values, one pair a line, the values below one another. */
export function fields(
  pairs: readonly (readonly [name: string, value: string])[],
  options: { readonly indent?: string; readonly nameStyle?: (text: string) => string } = {},
): string {
  const { indent = '', nameStyle = (text: string) => text } = options
  return table(
    pairs.map(([name, value]) => [nameStyle(name), value]),
    { indent },
  )
}
