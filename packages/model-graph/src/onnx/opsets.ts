// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'
import { maximumOpset, minimumOpset } from '../ops/registry.ts'
import type { ModelProto } from './generated/onnx_pb.ts'

/** The standard operator set has two names. */
export function isStandardDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

/**
 * Version of the standard operator set that a model asks for.
 * @throws ModelError `MODEL_OPSET_UNSUPPORTED`, `MODEL_GRAPH_INVALID`
 */
export function standardOpset(model: ModelProto): number {
  const seen = new Map<string, number>()
  for (const { domain, version } of model.opsetImport) {
    const key = isStandardDomain(domain) ? '' : domain
    const number = Number(version)
    if ((seen.get(key) ?? number) !== number) {
      throw new ModelError('MODEL_GRAPH_INVALID', `domain ${quote(domain)} is imported in two versions`)
    }
    seen.set(key, number)
  }
  const opset = seen.get('')
  if (opset === undefined)
    throw new ModelError('MODEL_GRAPH_INVALID', 'the model does not import the standard operator set')
  if (opset < minimumOpset || opset > maximumOpset) {
    const detail = `the model uses operator set ${opset}, supported are ${minimumOpset} to ${maximumOpset}`
    throw new ModelError('MODEL_OPSET_UNSUPPORTED', detail, { field: 'opset_import' })
  }
  return opset
}
