// SPDX-License-Identifier: Apache-2.0

// biome-ignore lint/suspicious/noControlCharactersInRegex: the color sequences that this package itself writes
const colorSequence = /\u001b\[[0-9;]*m/g
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Text from a file or from the network, made safe to print: control characters, which could move the cursor or recolor
 * the screen, and invisible format characters, which could reorder what is read, are written as escapes.
 */
export function printable(text: string): string {
  return text.replace(
    unsafe,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  )
}

/** One line of JSON, safe to print: the same characters are written as JSON's own escapes. */
export function printableJson(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replace(unsafe, (character) => character.split('').map(escaped).join(''))
}

/** How many columns a text takes, its color sequences not counted; every other character counts as one. */
export function visibleWidth(text: string): number {
  return [...text.replace(colorSequence, '')].length
}

/** Pads to a visible width. A longer text is left as it is. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - visibleWidth(text)))
  return align === 'left' ? text + space : space + text
}
