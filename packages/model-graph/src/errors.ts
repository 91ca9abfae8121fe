// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const modelErrorTable = defineErrorTable({
  MODEL_READ_FAILED: {
    kind: 'environment',
    meaning: 'A file of the model could not be read, or is shorter than it said.',
    remedy: 'Check that the file is there, readable, complete, and not being written to.',
  },
  MODEL_PROTO_MALFORMED: {
    kind: 'input',
    meaning: 'The bytes are not a protobuf message of the ONNX format.',
    remedy: 'Give an ONNX model file; if it came over a network, fetch it again.',
  },
  MODEL_TFJS_MALFORMED: {
    kind: 'input',
    meaning:
      'The bytes are not a model.json of TensorFlow.js, or a part of it does not have the form it should.',
    remedy:
      'Give the model.json that the converter or model.save() wrote; if it came over a network, fetch it again.',
  },
  MODEL_TOO_LARGE: {
    kind: 'input',
    meaning: 'The model goes beyond a limit of the importer; the message names the limit.',
    remedy: 'Split the model, or simplify it with its exporter.',
  },
  MODEL_EXTERNAL_DATA_REFUSED: {
    kind: 'refused',
    meaning:
      'A tensor lies in another file, at a path that leaves the folder of the model or is not a plain file.',
    remedy: 'Put the data files beside the model and name them by a relative path, without links.',
  },
  MODEL_TENSOR_INVALID: {
    kind: 'input',
    meaning: "A constant tensor's data does not fit its data type and dimensions.",
    remedy: 'Export the model again; run the ONNX checker on an ONNX model.',
  },
  MODEL_OPSET_UNSUPPORTED: {
    kind: 'input',
    meaning: 'The model uses an operator set version outside the supported range.',
    remedy: 'Convert the model with the ONNX version converter, to a version that the message names.',
  },
  MODEL_OPERATOR_UNSUPPORTED: {
    kind: 'input',
    meaning:
      'The model uses operators, or forms of operators, that are not supported; the message lists all of them.',
    remedy:
      'Export the model with other operators, or fold them beforehand; the README lists what is supported.',
  },
  MODEL_DTYPE_UNSUPPORTED: {
    kind: 'input',
    meaning: 'The model computes with an element type that is not supported.',
    remedy: 'Convert the model to float32.',
  },
  MODEL_GRAPH_INVALID: {
    kind: 'input',
    meaning: 'The graph breaks a rule of its format.',
    remedy: 'Export the model again; run the ONNX checker on an ONNX model.',
  },
  MODEL_GRAPH_CYCLIC: {
    kind: 'input',
    meaning: 'Nodes of the graph wait for one another.',
    remedy: 'Export the model again; the graph of a model has no cycles.',
  },
  MODEL_VALUE_UNDEFINED: {
    kind: 'input',
    meaning: 'A node or an output refers to a value that nothing defines.',
    remedy: 'Add the missing weights or input; run the ONNX checker on an ONNX model.',
  },
  MODEL_NAME_DUPLICATE: {
    kind: 'input',
    meaning: 'Two definitions of one value have the same name.',
    remedy: 'Export the model again; each value is defined once.',
  },
  MODEL_SHAPE_MISMATCH: {
    kind: 'input',
    meaning: 'Shapes in the model contradict each other.',
    remedy: 'Check the shapes that the message names; run ONNX shape inference on an ONNX model.',
  },
  MODEL_SHAPE_UNKNOWN: {
    kind: 'input',
    meaning: 'A shape must be known when the model is compiled, but is not.',
    remedy: 'Give sizes for the symbolic dimensions (option symbols), or export the model with fixed shapes.',
  },
  MODEL_STATE_INVALID: {
    kind: 'usage',
    meaning: 'An input and an output that were to be a state are not there, or do not go together.',
    remedy: 'Name an input and an output of one dtype and shape, each in one pair only.',
  },
  MODEL_OPTION_INVALID: {
    kind: 'usage',
    meaning: 'An option has a value outside its range.',
    remedy: 'Give a value as the message describes.',
  },
})

export type ModelErrorCode = keyof typeof modelErrorTable

/** One node of the model that cannot be imported. */
export interface ModelIssue {
  readonly code: 'MODEL_OPERATOR_UNSUPPORTED' | 'MODEL_DTYPE_UNSUPPORTED'
  readonly node: string
  readonly operator: string
  readonly domain: string
  readonly opset: number
  readonly reason: string
}

/** A model that cannot be read, imported or compiled. `issues` lists every unsupported node, not only the first. */
export class ModelError extends MlCapsuleError<ModelErrorCode> {
  readonly issues: readonly ModelIssue[]

  constructor(
    code: ModelErrorCode,
    detail: string,
    options: MlCapsuleErrorOptions & { readonly issues?: readonly ModelIssue[] } = {},
  ) {
    super(modelErrorTable, code, detail, options)
    this.issues = options.issues ?? []
  }
}

/** A name out of a model, for a message: quoted, without control characters, cut at 80 characters. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}
