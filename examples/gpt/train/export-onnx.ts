// SPDX-License-Identifier: Apache-2.0
import { TensorProto_DataType as DataType } from '@mlcapsule/model-graph/onnx-proto'
import { gpt, headWidth, type Parameters } from './network.ts'
import { OnnxWriter } from './onnx-writer.ts'

const { layerCount, headCount, width } = gpt
/** Out of reach of any score, and still a number. */
const hidden = -1e9

/**
 * Writes the decoder as ONNX (IR version 8, opset 17): `input_ids` int64 [batch, sequence] and, for each layer,
 * `past_key_values.N.key` and `.value` float32 [batch, heads, past_sequence, 16], to `logits` float32
 * [batch, sequence, vocabulary] and `present.N.key` and `.value`, which are the next query's past.
 */
export function encodeOnnx(parameters: Parameters): Uint8Array {
  const writer = new OnnxWriter()
  for (const { name, shape, values } of parameters.values()) writer.floats(name, shape, values)
  addIntegers(writer)
  writer.input('input_ids', ['batch', 'sequence'], DataType.INT64)
  const cacheDims = (length: string) => ['batch', headCount, length, headWidth] as const
  for (let layer = 0; layer < layerCount; layer++) {
    for (const part of ['key', 'value']) {
      writer.input(`past_key_values.${layer}.${part}`, cacheDims('past_sequence'))
    }
  }
  addPositions(writer)
  writer.node('Gather', ['tokens', 'input_ids'], 'tokens_out')
  writer.node('Gather', ['positions', 'query_positions'], 'positions_out')
  let flow = writer.node('Add', ['tokens_out', 'positions_out'], 'embedded')
  for (let layer = 0; layer < layerCount; layer++) flow = addBlock(writer, layer, flow)
  addDense(writer, 'head', addNormalization(writer, 'norm', flow), 'logits')
  writer.output('logits', ['batch', 'sequence', parameters.get('head.bias')?.shape[0] as number])
  for (let layer = 0; layer < layerCount; layer++) {
    for (const part of ['key', 'value']) {
      writer.output(`present.${layer}.${part}`, cacheDims('total_sequence'))
    }
  }
  return writer.finish('gpt', 'A tiny character-level decoder, trained on sentences of this project.')
}

function addIntegers(writer: OnnxWriter): void {
  for (const value of [0, 1, 2]) writer.integers(`index_${value}`, [], [value])
  writer.integers('axis_1', [1], [1])
  writer.integers('thirds', [3], [width, width, width])
  writer.integers('by_heads', [4], [0, 0, headCount, headWidth])
  writer.integers('joined', [3], [0, 0, width])
  writer.floats('scale', [], Float32Array.of(1 / Math.sqrt(headWidth)))
  writer.floats('hidden', [], Float32Array.of(hidden))
}

/** Each token sees itself and what comes before: the past, then this query's own. */
function addPositions(writer: OnnxWriter): void {
  writer.node('Shape', ['input_ids'], 'ids_shape')
  writer.node('Gather', ['ids_shape', 'index_1'], 'sequence_length')
  writer.node('Shape', ['past_key_values.0.key'], 'past_shape')
  writer.node('Gather', ['past_shape', 'index_2'], 'past_length')
  writer.node('Add', ['past_length', 'sequence_length'], 'total_length')
  writer.node('Range', ['past_length', 'total_length', 'index_1'], 'query_positions')
  writer.node('Range', ['index_0', 'total_length', 'index_1'], 'key_positions')
  writer.node('Unsqueeze', ['query_positions', 'axis_1'], 'query_column')
  writer.node('LessOrEqual', ['key_positions', 'query_column'], 'visible')
}

function addDense(writer: OnnxWriter, name: string, input: string, output: string): string {
  writer.node('MatMul', [input, `${name}.weight`], `${name}_product`)
  return writer.node('Add', [`${name}_product`, `${name}.bias`], output)
}

function addNormalization(writer: OnnxWriter, name: string, input: string): string {
  return writer.node('LayerNormalization', [input, `${name}.scale`, `${name}.bias`], `${name}_out`, {
    axis: -1,
    epsilon: { float: gpt.epsilon },
  })
}

function addBlock(writer: OnnxWriter, layer: number, input: string): string {
  const at = `layer${layer}`
  const qkv = addDense(writer, `${at}.qkv`, addNormalization(writer, `${at}.norm1`, input), `${at}.qkv_out`)
  const parts = ['query', 'key', 'value'].map((part) => `${at}.${part}`)
  writer.nodes('Split', [qkv, 'thirds'], parts, { axis: -1 })
  const [query, key, value] = parts.map((part) => {
    writer.node('Reshape', [part, 'by_heads'], `${part}_by_heads`)
    return writer.node('Transpose', [`${part}_by_heads`], `${part}_heads`, { perm: [0, 2, 1, 3] })
  }) as [string, string, string]
  const keys = writer.node('Concat', [`past_key_values.${layer}.key`, key], `present.${layer}.key`, {
    axis: 2,
  })
  const values = writer.node('Concat', [`past_key_values.${layer}.value`, value], `present.${layer}.value`, {
    axis: 2,
  })
  writer.node('Transpose', [keys], `${at}.keys_turned`, { perm: [0, 1, 3, 2] })
  writer.node('MatMul', [query, `${at}.keys_turned`], `${at}.products`)
  writer.node('Mul', [`${at}.products`, 'scale'], `${at}.scores`)
  writer.node('Where', ['visible', `${at}.scores`, 'hidden'], `${at}.masked`)
  writer.node('Softmax', [`${at}.masked`], `${at}.probabilities`, { axis: -1 })
  writer.node('MatMul', [`${at}.probabilities`, values], `${at}.attended`)
  writer.node('Transpose', [`${at}.attended`], `${at}.attended_turned`, { perm: [0, 2, 1, 3] })
  writer.node('Reshape', [`${at}.attended_turned`, 'joined'], `${at}.attention`)
  const joined = addDense(writer, `${at}.join`, `${at}.attention`, `${at}.join_out`)
  const middle = writer.node('Add', [input, joined], `${at}.middle`)
  const up = addDense(writer, `${at}.up`, addNormalization(writer, `${at}.norm2`, middle), `${at}.up_out`)
  const down = addDense(writer, `${at}.down`, writer.node('Relu', [up], `${at}.active`), `${at}.down_out`)
  return writer.node('Add', [middle, down], `${at}.out`)
}
