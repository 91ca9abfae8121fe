// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import type { GraphBuilder } from '../../ops/graph-builder.ts'
import { OnnxCalls } from '../onnx-calls.ts'
import type { NodeAttributes } from './attributes.ts'
import { describeNode, type TfNode } from './nodes.ts'

/** One node of a GraphDef, while it is imported. */
export class TfOp extends OnnxCalls {
  readonly op: string
  readonly inputs: readonly Value[]
  readonly attributes: NodeAttributes

  constructor(builder: GraphBuilder, node: TfNode, inputs: readonly Value[]) {
    super(builder, describeNode(node))
    this.op = node.op
    this.inputs = inputs
    this.attributes = node.attributes
  }

  input(index: number): Value {
    return this.inputs[index] ?? this.invalid(`input ${index} is missing`)
  }

  /** NHWC or NCHW. */
  format(): 'NHWC' | 'NCHW' {
    const format = this.attributes.string('data_format', 'NHWC')
    return format === 'NHWC' || format === 'NCHW' ? format : this.unsupported(`data_format ${format}`)
  }
}

/** How an operator of TensorFlow comes into our graph: one value for each output that is supported. */
export type TfImporter = (op: TfOp) => Value | readonly Value[]
export type TfTable = Readonly<Record<string, TfImporter>>
