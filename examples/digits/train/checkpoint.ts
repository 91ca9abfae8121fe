// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DigitsError } from './errors.ts'
import { elementCount, type Parameters, parameterCount, parameterShapes } from './network.ts'

/** Writes a file so that it is there whole or not at all. */
export function writeWhole(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.part`, content)
  renameSync(`${path}.part`, path)
}

/** Little-endian float32, tensor after tensor in the order of `parameterShapes`. */
export function encodeParameters(parameters: Parameters): Uint8Array {
  const bytes = new Uint8Array(parameterCount * 4)
  const view = new DataView(bytes.buffer)
  let atBytes = 0
  for (const { values } of parameters) {
    for (const value of values) {
      view.setFloat32(atBytes, value, true)
      atBytes += 4
    }
  }
  return bytes
}

/**
 * The inverse of {@link encodeParameters}, from a file.
 * @throws DigitsError `DIGITS_CHECKPOINT_MALFORMED` – not of the size of this network, or a value is not finite
 */
export function readParameters(path: string): Parameters {
  const bytes = readFileSync(path)
  if (bytes.length !== parameterCount * 4) {
    throw new DigitsError(
      'DIGITS_CHECKPOINT_MALFORMED',
      `expected ${parameterCount * 4} bytes, got ${bytes.length}`,
      { field: 'checkpoint' },
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let atBytes = 0
  return parameterShapes.map(({ name, shape }) => {
    const values = new Float32Array(elementCount(shape))
    for (let index = 0; index < values.length; index++, atBytes += 4) {
      values[index] = view.getFloat32(atBytes, true)
    }
    if (!values.every(Number.isFinite)) {
      throw new DigitsError('DIGITS_CHECKPOINT_MALFORMED', `${name} holds a value that is not finite`, {
        field: 'checkpoint',
      })
    }
    return { name, shape, values }
  })
}
