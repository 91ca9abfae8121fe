// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import { ClientError } from '../errors.ts'

/** Pictures that stand for characters which a line of a labels file cannot hold. */
const pictured: ReadonlyMap<string, string> = new Map([
  ['␠', ' '],
  ['␤', '\n'],
  ['␉', '\t'],
])

/** Input and vocabulary of a model that writes text, one character per token. */
export interface Vocabulary {
  readonly inputName: string
  readonly inputDtype: 'int32' | 'int64'
  /** Scores of the token after each one. */
  readonly outputName: string
  /** By token. */
  readonly characters: readonly string[]
}

type Signature = Pick<CapsuleHeader, 'inputs' | 'outputs' | 'labels'>

/**
 * Reads from a header how a model writes text: one input of integers [batch, sequence], a first output of floats
 * [batch, sequence, tokens], and one character as label of each token.
 * @throws ClientError `CLIENT_MODEL_NOT_GENERATIVE`
 */
export function vocabularyOf({ inputs, outputs, labels }: Signature): Vocabulary {
  const refuse = (detail: string, field: string): never => {
    throw new ClientError('CLIENT_MODEL_NOT_GENERATIVE', detail, { field: `header.${field}` })
  }
  const [input, ...others] = inputs
  const dtype = input?.dtype
  if (input === undefined || others.length > 0 || input.shape.length !== 2) {
    return refuse('expected one input of two dimensions, batch and sequence', 'inputs')
  }
  if (dtype !== 'int32' && dtype !== 'int64') return refuse(`expected integers, got ${dtype}`, 'inputs')
  const [scores] = outputs
  const isFloat = scores?.dtype === 'float32' || scores?.dtype === 'float64'
  if (!isFloat || scores.shape.length !== 3) {
    return refuse('expected floats of three dimensions: batch, sequence and tokens', 'outputs')
  }
  const characters = (labels ?? []).map((label) => pictured.get(label) ?? label)
  const isVocabulary =
    characters.length === scores.shape[2] &&
    new Set(characters).size === characters.length &&
    characters.every((it) => [...it].length === 1)
  if (!isVocabulary) return refuse('expected a label of one character for each token', 'labels')
  return { inputName: input.name, inputDtype: dtype, outputName: scores.name, characters }
}

/**
 * The tokens of a text.
 * @throws ClientError `CLIENT_PROMPT_INVALID` for no text, or for a character that the model has no token for
 */
export function encodePrompt(prompt: string, { characters }: Vocabulary): readonly number[] {
  const refuse = (detail: string): never => {
    throw new ClientError('CLIENT_PROMPT_INVALID', detail, { field: 'prompt' })
  }
  const tokens = [...prompt].map((character) => {
    const token = characters.indexOf(character)
    return token < 0 ? refuse(`the model has no token for ${JSON.stringify(character)}`) : token
  })
  return tokens.length > 0 ? tokens : refuse('expected one character at least')
}
