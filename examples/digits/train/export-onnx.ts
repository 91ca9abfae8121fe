// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '@mlcapsule/model-graph/onnx-proto'
import { classCount, imageSide } from './dataset.ts'
import { elementCount, flattenedShape, type Parameter, type Parameters } from './network.ts'

type Node = MessageInitShape<typeof NodeProtoSchema>
type Attribute = MessageInitShape<typeof AttributeProtoSchema>
type TensorInit = MessageInitShape<typeof TensorProtoSchema>
type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>

const irVersion = 8n
const opsetVersion = 13n

/**
 * Writes the trained network as an ONNX model (IR version 8, opset 13): `image` float32 [1,1,28,28], 0..1, ink
 * high, to `probabilities` float32 [1,10].
 *
 * Training is channels-last; ONNX is channels-first. Convolution weights turn from [row, column, in, out] to
 * [out, in, row, column], dense weights from [in, out] to [out, in] (Gemm with `transB`), and the inputs of the
 * first dense layer from the order row, column, channel to channel, row, column.
 */
export function encodeOnnx(parameters: Parameters): Uint8Array {
  const get = (name: string): Parameter =>
    parameters.find((parameter) => parameter.name === name) as Parameter
  const model = create(ModelProtoSchema, {
    irVersion,
    opsetImport: [{ domain: '', version: opsetVersion }],
    producerName: 'mlcapsule-digits',
    producerVersion: '1',
    modelVersion: 1n,
    docString: 'Handwritten digits, trained on 10,000 images of MNIST (CC BY-SA 3.0).',
    graph: {
      name: 'digits',
      node: [
        convolution('conv1', 'image', 'conv1_out'),
        node('Relu', 'relu1', ['conv1_out'], 'relu1_out'),
        pooling('pool1', 'relu1_out', 'pool1_out'),
        convolution('conv2', 'pool1_out', 'conv2_out'),
        node('Relu', 'relu2', ['conv2_out'], 'relu2_out'),
        pooling('pool2', 'relu2_out', 'pool2_out'),
        node('Flatten', 'flatten', ['pool2_out'], 'flatten_out', [integer('axis', 1)]),
        dense('dense1', 'flatten_out', 'dense1_out'),
        node('Relu', 'relu3', ['dense1_out'], 'relu3_out'),
        dense('dense2', 'relu3_out', 'dense2_out'),
        node('Softmax', 'softmax', ['dense2_out'], 'probabilities', [integer('axis', 1)]),
      ],
      initializer: [
        toTensor(transpose(get('conv1.weight'), [3, 2, 0, 1])),
        toTensor(get('conv1.bias')),
        toTensor(transpose(get('conv2.weight'), [3, 2, 0, 1])),
        toTensor(get('conv2.bias')),
        toTensor(denseFromChannelsFirst(get('dense1.weight'))),
        toTensor(get('dense1.bias')),
        toTensor(transpose(get('dense2.weight'), [1, 0])),
        toTensor(get('dense2.bias')),
      ],
      input: [floatTensor('image', [1, 1, imageSide, imageSide])],
      output: [floatTensor('probabilities', [1, classCount])],
    },
  })
  return toBinary(ModelProtoSchema, model)
}

/** Reorders the axes of a tensor: axis `i` of the result is axis `axes[i]` of the source. */
export function transpose({ name, shape, values }: Parameter, axes: readonly number[]): Parameter {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)))
  const newShape = axes.map((axis) => shape[axis] as number)
  const newStrides = axes.map((axis) => strides[axis] as number)
  const result = Float32Array.from(values, (_, index) => {
    let rest = index
    let source = 0
    for (let axis = newShape.length - 1; axis >= 0; axis--) {
      const dimension = newShape[axis] as number
      source += (rest % dimension) * (newStrides[axis] as number)
      rest = Math.floor(rest / dimension)
    }
    return values[source] as number
  })
  return { name, shape: newShape, values: result }
}

/** [row·column·channel, out] to [out, channel·row·column]. */
function denseFromChannelsFirst({ name, shape, values }: Parameter): Parameter {
  const outputCount = shape[1] as number
  const unfolded = { name, shape: [...flattenedShape, outputCount], values }
  return { ...transpose(unfolded, [3, 2, 0, 1]), shape: [outputCount, elementCount(flattenedShape)] }
}

function node(
  opType: string,
  name: string,
  input: string[],
  output: string,
  attribute: Attribute[] = [],
): Node {
  return { opType, name, input, output: [output], attribute }
}

function convolution(name: string, input: string, output: string): Node {
  return node('Conv', name, [input, `${name}.weight`, `${name}.bias`], output, [
    integers('kernel_shape', [5, 5]),
    integers('pads', [0, 0, 0, 0]),
    integers('strides', [1, 1]),
  ])
}

function pooling(name: string, input: string, output: string): Node {
  return node('MaxPool', name, [input], output, [
    integers('kernel_shape', [2, 2]),
    integers('strides', [2, 2]),
  ])
}

function dense(name: string, input: string, output: string): Node {
  return node('Gemm', name, [input, `${name}.weight`, `${name}.bias`], output, [integer('transB', 1)])
}

function integer(name: string, value: number): Attribute {
  return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) }
}

function integers(name: string, values: number[]): Attribute {
  return { name, type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) }
}

function toTensor({ name, shape, values }: Parameter): TensorInit {
  const rawData = new Uint8Array(values.length * 4)
  const view = new DataView(rawData.buffer)
  values.forEach((value, index) => {
    view.setFloat32(index * 4, value, true)
  })
  return { name, dims: shape.map(BigInt), dataType: TensorProto_DataType.FLOAT, rawData }
}

function floatTensor(name: string, shape: readonly number[]): ValueInfo {
  const dim = shape.map((dimension) => ({ value: { case: 'dimValue' as const, value: BigInt(dimension) } }))
  const value = { elemType: TensorProto_DataType.FLOAT, shape: { dim } }
  return { name, type: { value: { case: 'tensorType', value } } }
}
