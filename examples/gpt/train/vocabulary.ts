// SPDX-License-Identifier: Apache-2.0

/** Characters that a line of a labels file cannot hold, and the pictures that stand for them there. */
const pictures: readonly (readonly [character: string, picture: string])[] = [
  [' ', '␠'],
  ['\n', '␤'],
]

/** Every character of a text once, in the order of their code points. */
export function charactersOf(text: string): readonly string[] {
  return [...new Set(text)].sort()
}

/** One label per character: itself, or the picture that stands for it. */
export function labelsOf(characters: readonly string[]): readonly string[] {
  return characters.map((character) => pictures.find(([it]) => it === character)?.[1] ?? character)
}

/** The place of each character of a text in the vocabulary. */
export function encodeText(text: string, characters: readonly string[]): Uint16Array {
  return Uint16Array.from([...text], (character) => characters.indexOf(character))
}
