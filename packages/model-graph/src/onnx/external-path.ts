// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'

/**
 * The parts of a path that a model gives for its external data. It must stay in the folder of the model: relative, no
 * `..`, no drive, no backslash, no empty part.
 * @throws ModelError `MODEL_EXTERNAL_DATA_REFUSED`
 */
export function externalPathParts(path: string): readonly string[] {
  const refuse = (why: string): never => {
    throw new ModelError('MODEL_EXTERNAL_DATA_REFUSED', `external data at ${quote(path)}: ${why}`)
  }
  if (path.length === 0 || path.length > 1024) refuse('the path is empty or longer than 1024 characters')
  for (const character of path) {
    if (character < ' ' || character === '\\' || character === ':') {
      refuse('the path holds a backslash, a colon or a control character')
    }
  }
  if (path.startsWith('/')) refuse('the path is absolute')
  const parts = path.split('/').filter((part, index) => !(part === '.' && index === 0))
  if (parts.length === 0 || parts.some((part) => part === '' || part === '.' || part === '..')) {
    refuse('the path has an empty, "." or ".." part')
  }
  return parts
}
