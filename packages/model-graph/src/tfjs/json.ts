// SPDX-License-Identifier: Apache-2.0
import { ModelError } from '../errors.ts'
import { modelLimits } from '../limits.ts'
import { type ModelSource, readExactly } from '../source/model-source.ts'

const quoteMark = 0x22
const backslash = 0x5c
const comma = 0x2c
const openers = new Set([0x5b, 0x7b])
const closers = new Set([0x5d, 0x7d])

/** Refuses text that would take the parser out of proportion: lists within lists without end, or too many values. */
function checkStructure(bytes: Uint8Array): void {
  let depth = 0
  let elementCount = 0
  let isInString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (isInString) {
      if (byte === backslash) i++
      else if (byte === quoteMark) isInString = false
    } else if (byte === quoteMark) isInString = true
    else if (byte === comma) elementCount++
    else if (openers.has(byte)) {
      depth++
      elementCount++
      if (depth > modelLimits.jsonDepth) {
        throw new ModelError(
          'MODEL_TOO_LARGE',
          `model.json is nested more than ${modelLimits.jsonDepth} deep`,
        )
      }
    } else if (closers.has(byte)) depth--
  }
  if (elementCount > modelLimits.elementCount) {
    throw new ModelError('MODEL_TOO_LARGE', `model.json has more than ${modelLimits.elementCount} values`)
  }
}

/** @throws ModelError `MODEL_TFJS_MALFORMED`, `MODEL_TOO_LARGE`, `MODEL_READ_FAILED` */
export async function readJson(source: ModelSource): Promise<unknown> {
  const { sizeBytes } = source
  if (sizeBytes > modelLimits.skeletonSizeBytes) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `model.json has ${sizeBytes} bytes, more than ${modelLimits.skeletonSizeBytes}`,
    )
  }
  const bytes = await readExactly(source, 0, sizeBytes)
  checkStructure(bytes)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new ModelError('MODEL_TFJS_MALFORMED', 'the file is not JSON', { cause })
  }
}
