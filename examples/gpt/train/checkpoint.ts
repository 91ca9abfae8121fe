// SPDX-License-Identifier: Apache-2.0
import { type Parameters, parameterShapes } from './network.ts'

/** Little-endian float32, tensor after tensor. */
export function encodeParameters(parameters: Parameters): Uint8Array {
  const count = [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0)
  const view = new DataView(new ArrayBuffer(count * 4))
  let at = 0
  for (const { values } of parameters.values()) {
    for (const value of values) view.setFloat32(at++ * 4, value, true)
  }
  return new Uint8Array(view.buffer)
}

/** The inverse of {@link encodeParameters}. @throws RangeError for bytes of another network */
export function decodeParameters(bytes: Uint8Array, vocabularySize: number): Parameters {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const parameters = new Map(
    [...parameterShapes(vocabularySize)].map(([name, shape]) => {
      const length = shape.reduce((product, size) => product * size, 1)
      const values = Float32Array.from({ length }, () => view.getFloat32(at++ * 4, true))
      return [name, { name, shape, values }]
    }),
  )
  if (at * 4 !== bytes.length)
    throw new RangeError(`expected ${at * 4} bytes of weights, got ${bytes.length}`)
  return parameters
}
