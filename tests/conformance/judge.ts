// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import {
  type CompiledModel,
  compileGraph,
  importOnnx,
  ModelError,
  memoryModelSource,
} from '@mlcapsule/model-graph'
import { fromBinary, ModelProtoSchema } from '@mlcapsule/model-graph/onnx-proto'
import { compareTensors, runCompiled, type Tolerance } from '@mlcapsule/model-graph/testing'
import { errorText, reasonsOf } from '../support/error-text.ts'
import { withConstantInputs } from './constant-inputs.ts'
import type { ConformanceTest } from './suite.ts'
import { ramp, readTensor, readTensors, testDataSets } from './test-data.ts'

export type Verdict = 'pass' | 'unsupported' | 'wrong'

export interface Judgement {
  readonly verdict: Verdict
  /** Why it is not a pass. */
  readonly detail: string
}

/** What the importer may say of a model that it does not take. Anything else is a failure. */
const unsupportedCodes: ReadonlySet<string> = new Set([
  'MODEL_OPERATOR_UNSUPPORTED',
  'MODEL_DTYPE_UNSUPPORTED',
  'MODEL_OPSET_UNSUPPORTED',
  'MODEL_SHAPE_UNKNOWN',
])

const float32Tolerance: Tolerance = { relative: 1e-3, absolute: 1e-5 }
const float16Tolerance: Tolerance = { relative: 1e-2, absolute: 1e-3 }
/** Probabilities of a thousand classes are small. */
const storedWithoutInputTolerance: Tolerance = { relative: 1e-3, absolute: 1e-7 }

interface Case {
  readonly inputs: readonly Tensor[]
  readonly expected: readonly Tensor[]
  readonly tolerance: Tolerance
}

/** Inputs in the order of the compiled model, which has none for initializers. */
async function readCase(model: CompiledModel, names: readonly string[], dataSet: string): Promise<Case> {
  let isStored = true
  const inputs: Tensor[] = []
  for (const { name, shape } of model.inputs) {
    const stored = await readTensor(dataSet, 'input', names.indexOf(name))
    if (stored === null) isStored = false
    inputs.push(stored ?? ramp(shape as readonly number[]))
  }
  const expected = await readTensors(dataSet, 'output')
  return { inputs, expected, tolerance: isStored ? float32Tolerance : storedWithoutInputTolerance }
}

function firstProblem(actual: readonly Tensor[], { expected, tolerance }: Case): string | null {
  if (actual.length !== expected.length) return `${actual.length} outputs, expected ${expected.length}`
  for (const [i, tensor] of expected.entries()) {
    const bound = tensor.dtype === 'float16' ? float16Tolerance : tolerance
    const { problem } = compareTensors(actual[i] as Tensor, tensor, bound)
    if (problem !== null) return `output ${i}: ${problem}`
  }
  return null
}

async function judgeModel(
  bytes: Uint8Array,
  dataSets: readonly string[],
  backends: readonly KernelBackend[],
): Promise<Judgement> {
  const { graph } = fromBinary(ModelProtoSchema, bytes)
  const names = graph?.input.map(({ name }) => name) ?? []
  let model: CompiledModel
  try {
    model = await compileGraph(await importOnnx(memoryModelSource(bytes)))
  } catch (error) {
    if (error instanceof ModelError && unsupportedCodes.has(error.code))
      return { verdict: 'unsupported', detail: reasonsOf(error) }
    return { verdict: 'wrong', detail: errorText(error) }
  }
  for (const dataSet of dataSets) {
    const stored = await readCase(model, names, dataSet)
    for (const kernels of backends) {
      try {
        const problem = firstProblem(await runCompiled(model, stored.inputs, kernels), stored)
        if (problem !== null) return { verdict: 'wrong', detail: `${kernels.name}: ${problem}` }
      } catch (error) {
        return { verdict: 'wrong', detail: `${kernels.name}: ${errorText(error)}` }
      }
    }
  }
  return { verdict: 'pass', detail: '' }
}

/**
 * Compiles the model of a test once and runs all its sets of data on each kernel backend.
 * @param options.constantInputs every input but the first becomes a constant of the model
 * @returns null where such a form of the test does not exist
 */
export async function judge(
  { folder }: ConformanceTest,
  backends: readonly KernelBackend[],
  options: { readonly constantInputs?: boolean } = {},
): Promise<Judgement | null> {
  const bytes = await readFile(join(folder, 'model.onnx'))
  const dataSets = testDataSets(folder)
  if (dataSets.length === 0) throw new Error(`${folder} has no test data`)
  if (options.constantInputs !== true) return judgeModel(bytes, dataSets, backends)
  const first = dataSets[0] as string
  const changed = await withConstantInputs(bytes, first)
  return changed === null ? null : judgeModel(changed, [first], backends)
}
