// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBinary, ModelProtoSchema } from '@mlcapsule/model-graph/onnx-proto'

/** One test of a conformance folder: a model with inputs and outputs. */
export interface ConformanceTest {
  /** `<set>/<test>`. */
  readonly name: string
  readonly folder: string
  /** The operator that it is for; null for graphs of many. */
  readonly operator: string | null
  /** Whether another runtime passes it, as the index says; if not, its result is scored apart. */
  readonly isMarked: boolean
}

interface IndexRow {
  readonly set: string
  readonly test: string
  readonly op: string | null
  readonly onnxruntime: string
}

/** The operator of a model that has one kind of node. */
function onlyOperator(folder: string): string | null {
  const { graph } = fromBinary(ModelProtoSchema, readFileSync(join(folder, 'model.onnx')))
  const kinds = new Set(graph?.node.map((it) => it.opType).filter((it) => it !== 'Constant'))
  return kinds.size === 1 ? ([...kinds][0] as string) : null
}

function withoutIndex(dir: string): ConformanceTest[] {
  const found: ConformanceTest[] = []
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    const folder = join(dir, path)
    if (!existsSync(join(folder, 'model.onnx'))) continue
    found.push({ name: path, folder, operator: onlyOperator(folder), isMarked: true })
  }
  return found
}

/**
 * Tests of a folder in the layout of ONNX's own backend tests, `<set>/<test>/{model.onnx, test_data_set_<n>/*.pb}`, as its
 * `index.json` lists them; without one, every folder below that has a model.
 * @throws Error where the folder cannot be read
 */
export function readSuite(dir: string): readonly ConformanceTest[] {
  const index = join(dir, 'index.json')
  if (!existsSync(index)) return withoutIndex(dir)
  const rows = JSON.parse(readFileSync(index, 'utf8')) as readonly IndexRow[]
  return rows.map(({ set, test, op, onnxruntime }) => ({
    name: `${set}/${test}`,
    folder: join(dir, set, test),
    operator: op,
    isMarked: onnxruntime === 'pass',
  }))
}
