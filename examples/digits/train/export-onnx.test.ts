// SPDX-License-Identifier: Apache-2.0
import { fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema } from '@mlcapsule/model-graph/onnx-proto'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareBackend } from './backend.ts'
import { drawSamples } from './draw-samples.ts'
import { encodeOnnx, transpose } from './export-onnx.ts'
import { batchShape, forward, initialParameters } from './network.ts'
import { openOnnx } from './run-onnx.ts'

beforeAll(prepareBackend)

test('transpose moves each element to its new place', () => {
  const source = {
    name: 't',
    shape: [2, 3, 4],
    values: Float32Array.from({ length: 24 }, (_, index) => index),
  }
  const { shape, values } = transpose(source, [2, 0, 1])
  expect(shape).toEqual([4, 2, 3])
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < 2; b++) {
      for (let c = 0; c < 3; c++) expect(values[(a * 2 + b) * 3 + c]).toBe((b * 3 + c) * 4 + a)
    }
  }
})

describe('encodeOnnx', () => {
  // Random biases too, so that a bias in the wrong place would show.
  const parameters = initialParameters(9).map((parameter, index) => ({
    ...parameter,
    values: parameter.name.endsWith('.bias')
      ? parameter.values.map((_, at) => Math.sin(at + index) / 5)
      : parameter.values,
  }))
  const file = encodeOnnx(parameters)

  test('states versions, input and output', () => {
    const { irVersion, opsetImport, graph } = fromBinary(ModelProtoSchema, file)
    expect(irVersion).toBe(8n)
    expect(opsetImport.map(({ domain, version }) => ({ domain, version }))).toEqual([
      { domain: '', version: 13n },
    ])
    const shapeOf = (info: NonNullable<typeof graph>['input'][number] | undefined): unknown[] => {
      const type = info?.type?.value
      if (type?.case !== 'tensorType') return []
      return type.value.shape?.dim.map(({ value }) => value.value) ?? []
    }
    expect(graph?.input.map(({ name }) => name)).toEqual(['image'])
    expect(graph?.output.map(({ name }) => name)).toEqual(['probabilities'])
    expect(shapeOf(graph?.input[0])).toEqual([1n, 1n, 28n, 28n])
    expect(shapeOf(graph?.output[0])).toEqual([1n, 10n])
  })

  test('computes what the trained network computes', () => {
    const model = openOnnx(file)
    const weights = parameters.map(({ shape, values }) => tf.tensor(values, [...shape]))
    for (const { pixels } of drawSamples()) {
      const image = Float32Array.from(pixels, (ink) => ink / 255)
      const expected = tf.softmax(forward(tf.tensor4d(image, batchShape(1)), weights)).dataSync()
      const actual = model(image)
      expect(actual).toHaveLength(10)
      actual.forEach((probability, digit) => {
        expect(probability).toBeCloseTo(expected[digit] as number, 5)
      })
    }
  })

  test('is the same to the byte each time', () => {
    expect(encodeOnnx(parameters)).toEqual(file)
  })
})
