// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { ModelError, memoryModelSource, operators } from '../src/index.ts'
import { fromBinary, ModelProtoSchema, TensorProtoSchema, toBinary } from '../src/onnx-proto/index.ts'
import { difference, readTensors, runModel } from './run-model.ts'
import { missing, sharedDir } from './shared.ts'

const root = join(sharedDir, 'onnx-conformance')
const skipped = missing('onnx-conformance')
const tolerance = { relative: 1e-3, absolute: 1e-5 }

interface Row {
  readonly set: string
  readonly test: string
  readonly ops: readonly string[]
}

/** What the importer may say of a model that it does not take. Anything else is a failure. */
const unsupported = new Set([
  'MODEL_OPERATOR_UNSUPPORTED',
  'MODEL_DTYPE_UNSUPPORTED',
  'MODEL_OPSET_UNSUPPORTED',
  'MODEL_SHAPE_UNKNOWN',
])

/** The model with all inputs but the first made constants, as weights are in real models. */
async function withConstantInputs(bytes: Uint8Array, folder: string): Promise<Uint8Array | null> {
  const model = fromBinary(ModelProtoSchema, bytes)
  const { graph } = model
  if (graph === undefined || graph.input.length < 2 || graph.initializer.length > 0) return null
  for (const [i, { name }] of graph.input.entries()) {
    const data = i === 0 ? null : await readFile(join(folder, `input_${i}.pb`)).catch(() => null)
    if (data === null) continue
    graph.initializer.push({ ...fromBinary(TensorProtoSchema, data), name })
  }
  return toBinary(ModelProtoSchema, model)
}

/** Null if the outputs are right, the code if the model is not supported, or what is wrong. */
async function judge(
  bytes: Uint8Array,
  folder: string,
): Promise<{ verdict: 'right' | 'unsupported' | 'wrong'; detail: string }> {
  const { graph } = fromBinary(ModelProtoSchema, bytes)
  const constants = new Set(graph?.initializer.map((it) => it.name))
  try {
    const all = await readTensors(folder, 'input', graph?.input.length ?? 0)
    const inputs = all
      .filter((_, i) => !constants.has(graph?.input[i]?.name ?? ''))
      .filter((it) => it !== null)
    const actual = await runModel(memoryModelSource(bytes), inputs)
    const expected = await readTensors(folder, 'output', actual.length)
    for (const [i, tensor] of actual.entries()) {
      const detail = difference(tensor, expected[i] as Tensor, tolerance)
      if (detail !== null) return { verdict: 'wrong', detail: `output ${i}: ${detail}` }
    }
    return { verdict: 'right', detail: '' }
  } catch (error) {
    if (!(error instanceof ModelError) || !unsupported.has(error.code)) {
      return { verdict: 'wrong', detail: error instanceof Error ? (error.stack ?? '') : String(error) }
    }
    return { verdict: 'unsupported', detail: error.code }
  }
}

describe.skipIf(skipped !== null)(`ONNX conformance ${skipped ?? ''}`, () => {
  const rows: Row[] = skipped === null ? JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) : []
  const small = rows.filter((it) => it.set !== 'light')
  const candidates = small.filter((it) => it.ops.every((op) => operators.has(op)))

  async function judgeAll(
    list: readonly Row[],
    change: (bytes: Uint8Array, folder: string) => Promise<Uint8Array | null>,
  ) {
    const wrong: string[] = []
    let rightCount = 0
    for (const row of list) {
      const folder = join(root, row.set, row.test)
      const data = join(folder, 'test_data_set_0')
      const bytes = await change(await readFile(join(folder, 'model.onnx')), data)
      if (bytes === null) continue
      const { verdict, detail } = await judge(bytes, data)
      if (verdict === 'right') rightCount++
      if (verdict === 'wrong') wrong.push(`${row.set}/${row.test}: ${detail}`)
      if (process.env.MLCAPSULE_VERBOSE === '1')
        process.stdout.write(`${verdict} ${row.set}/${row.test} ${detail}\n`)
    }
    return { wrong, rightCount }
  }

  test('every model gives the stored outputs or says that it is not supported', async () => {
    const { wrong, rightCount } = await judgeAll(small, async (bytes) => bytes)
    expect(wrong).toEqual([])
    expect(rightCount).toBeGreaterThanOrEqual(196)
  }, 120_000)

  test('so it does with the inputs after the first as constants', async () => {
    const { wrong, rightCount } = await judgeAll(candidates, withConstantInputs)
    expect(wrong).toEqual([])
    expect(rightCount).toBeGreaterThanOrEqual(124)
  }, 120_000)
})
