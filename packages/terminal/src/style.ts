// SPDX-License-Identifier: Apache-2.0
import type { Environment, OutputStream } from './output.ts'

/** ECMA-48 "select graphic rendition": the code that sets a look and the one that ends it. */
const codes = {
  bold: [1, 22],
  dim: [2, 22],
  underline: [4, 24],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const

export type StyleName = keyof typeof codes
export type Styles = Readonly<Record<StyleName, (text: string) => string>> & { readonly isColored: boolean }

/**
 * Whether to color what goes to a stream: only a terminal is colored, and not one that calls itself dumb.
 * `NO_COLOR` (any value but the empty one) switches colors off; `FORCE_COLOR` (but not `0`) switches them on for a pipe.
 */
export function isColored(stream: OutputStream, env: Environment): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false
  const forced = env.FORCE_COLOR ?? ''
  if (forced !== '') return forced !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** The looks for one stream. Where the stream is not colored, each returns its text unchanged. */
export function styled(stream: OutputStream, env: Environment): Styles {
  const colored = isColored(stream, env)
  const entries = Object.entries(codes).map(([name, [start, end]]) => [
    name,
    colored ? (text: string) => `\u001b[${start}m${text}\u001b[${end}m` : (text: string) => text,
  ])
  return {
    ...(Object.fromEntries(entries) as Record<StyleName, (text: string) => string>),
    isColored: colored,
  }
}
