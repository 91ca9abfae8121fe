// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../../errors.ts'
import { Fields } from '../fields.ts'
import { readShape } from './attributes.ts'
import { type Edge, parseEdge, type TfNode } from './nodes.ts'

/** What goes in and comes out, in order. */
export interface Signature {
  readonly inputs: readonly { readonly node: string; readonly dims: readonly number[] | null }[]
  readonly outputs: readonly Edge[]
}

/** Older converters write the signature among the user's metadata. */
function signatureFields(model: Fields): Fields | null {
  if (model.has('signature')) return model.object('signature')
  if (!model.has('userDefinedMetadata')) return null
  const metadata = model.object('userDefinedMetadata')
  return metadata.has('signature') ? metadata.object('signature') : null
}

function tensors(signature: Fields | null, name: 'inputs' | 'outputs'): readonly Fields[] {
  if (signature?.has(name) !== true) return []
  const fields = signature.object(name)
  return fields.names().map((key) => fields.object(key))
}

function declaredDims(tensor: Fields): readonly number[] | null {
  return tensor.has('tensorShape') ? readShape(new Fields(tensor.get('tensorShape'), tensor.where)) : null
}

/** Without a signature, outputs are what no node reads. */
export function readSignature(model: Fields, nodes: ReadonlyMap<string, TfNode>): Signature {
  const signature = signatureFields(model)
  const inputs = tensors(signature, 'inputs').map((it) => ({
    node: parseEdge(it.string('name')).node,
    dims: declaredDims(it),
  }))
  const outputs = tensors(signature, 'outputs').map((it) => parseEdge(it.string('name')))
  for (const { node } of inputs) {
    if (nodes.has(node)) continue
    throw new ModelError(
      'MODEL_VALUE_UNDEFINED',
      `the signature names the input ${quote(node)}, which is no node`,
    )
  }
  if (outputs.length > 0) return { inputs, outputs }
  const read = new Set([...nodes.values()].flatMap((node) => node.inputs.map((it) => it.node)))
  const leaves = [...nodes.values()].filter(
    ({ name, op }) => !read.has(name) && op !== 'Const' && op !== 'NoOp' && op !== 'Placeholder',
  )
  return { inputs, outputs: leaves.map(({ name }) => ({ node: name, index: 0 })) }
}
