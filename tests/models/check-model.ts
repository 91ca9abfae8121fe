// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { type CompiledModel, compileGraph, importModel, ModelError } from '@mlcapsule/model-graph'
import { fileModelSource } from '@mlcapsule/model-graph/node'
import { compareTensors } from '@mlcapsule/model-graph/testing'
import { type EnclosedModel, type EncloseOptions, enclose } from './enclave.ts'
import type { Sample, StoredModel } from './inventory.ts'
import { symbolsOf } from './symbols.ts'

const tolerance = { relative: 1e-3, absolute: 1e-5 }

export interface ModelResult {
  readonly model: string
  readonly entry: string
  readonly kernels: string
  /** Sizes that had to be given for symbolic dimensions. */
  readonly symbols: Symbols
  readonly stepCount: number
  readonly parameterCount: number
  readonly comparedCount: number
  readonly largestDifference: number
  readonly verdict: 'right' | 'wrong'
  /** What is wrong. */
  readonly detail: string
}

type Symbols = Readonly<Record<string, number>>

async function withCompiled<Result>(
  { path }: StoredModel,
  symbols: Symbols,
  work: (model: CompiledModel) => Promise<Result>,
): Promise<Result> {
  const source = await fileModelSource(path)
  try {
    return await work(await compileGraph(await importModel(source, { symbols })))
  } finally {
    await source.close()
  }
}

/** None where a model imports as it is; else, of an ONNX model, the sizes of its sample, as a provider would give them. */
async function neededSymbols(stored: StoredModel, samples: readonly Sample[]): Promise<Symbols> {
  try {
    return await withCompiled(stored, {}, async () => ({}))
  } catch (error) {
    const [sample] = samples
    const isOnnx = stored.path.endsWith('.onnx')
    if (!(error instanceof ModelError) || sample === undefined || !isOnnx) throw error
    return symbolsOf(stored, sample)
  }
}

interface Comparison {
  comparedCount: number
  largestDifference: number
  problem: string | null
}

async function compareSamples(
  compiled: CompiledModel,
  enclosed: EnclosedModel,
  samples: readonly Sample[],
): Promise<Comparison> {
  const result: Comparison = { comparedCount: 0, largestDifference: 0, problem: null }
  for (const { inputs, outputs, outputNames } of samples) {
    const answer = await enclosed.run(inputs)
    for (const [i, expected] of outputs.entries()) {
      const name = outputNames?.find((it, at) => at === i && answer.has(it)) ?? compiled.outputs[i]?.name
      const { problem, largestDifference } = compareTensors(
        answer.get(name as string) as Tensor,
        expected,
        tolerance,
      )
      result.comparedCount++
      result.largestDifference = Math.max(result.largestDifference, largestDifference)
      if (problem !== null) result.problem ??= `output ${name}: ${problem}`
    }
  }
  if (result.comparedCount === 0) result.problem = 'there is nothing to compare with'
  return result
}

/** Packs a model, runs its stored queries in an enclave, and compares the answers. */
export async function checkModel(stored: StoredModel, options: EncloseOptions): Promise<ModelResult> {
  const samples = await stored.readSamples()
  const symbols = await neededSymbols(stored, samples)
  return withCompiled(stored, symbols, async (compiled) => {
    const enclosed = await enclose(
      {
        ...compiled,
        weights: { sizeBytes: compiled.weights.sizeBytes, chunks: () => compiled.weights.chunks() },
      },
      options,
    )
    try {
      const { problem, ...figures } = await compareSamples(compiled, enclosed, samples)
      return {
        model: stored.name,
        entry: options.entry,
        kernels: enclosed.kernels,
        symbols,
        stepCount: compiled.summary.stepCount,
        parameterCount: compiled.summary.parameterCount,
        ...figures,
        verdict: problem === null ? 'right' : 'wrong',
        detail: problem ?? '',
      }
    } finally {
      await enclosed.close()
    }
  })
}
