// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'
import { checkDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { ValueInfoProto } from './generated/onnx_pb.ts'
import { dtypeOf } from './tensor-proto.ts'

/** Dimensions that a model declares: null where it gives no shape, and null for a dimension without size and name. */
export function declaredDims(info: ValueInfoProto): readonly (Dim | null)[] | null {
  if (info.type?.value.case !== 'tensorType') return null
  return (
    info.type.value.value.shape?.dim.map(({ value }) => {
      if (value.case === 'dimValue') return Number(value.value)
      return value.case === 'dimParam' && value.value !== '' ? value.value : null
    }) ?? null
  )
}

/** An input of the model, in the dtype that it has outside. */
export function importInput(info: ValueInfoProto, symbols: Readonly<Record<string, number>>): Value {
  const what = `input ${quote(info.name)}`
  if (info.type?.value.case !== 'tensorType') {
    throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} is not a dense tensor`)
  }
  const declared = declaredDims(info)
  if (declared === null) throw new ModelError('MODEL_SHAPE_UNKNOWN', `${what} has no shape`)
  const dims = declared.map((dim, axis): Dim => {
    // Some exporters write 0 or -1 for a dimension that they do not know.
    const isKnown = typeof dim === 'number' && dim > 0
    // Names that begin with ? are ours; some exporters write a mere ? for a dimension that they do not know.
    const given = typeof dim === 'string' && !dim.startsWith('?') ? dim : `${info.name}_dim_${axis}`
    const name = given.replace(/^\?+/, '_')
    return isKnown ? dim : Object.hasOwn(symbols, name) ? (symbols[name] as number) : name
  })
  checkDims(dims, what)
  return { name: info.name, dtype: dtypeOf(info.type.value.value.elemType, what), dims, constant: null }
}
