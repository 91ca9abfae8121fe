// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { describe, expect, test } from 'vitest'
import { crossEntropy, decode } from './train/decoder.ts'
import { encodeOnnx } from './train/export-onnx.ts'
import { gpt, initialParameters, zerosLike } from './train/network.ts'
import { type TrainingPhase, train } from './train/train.ts'
import { charactersOf, encodeText, labelsOf } from './train/vocabulary.ts'

const folder = import.meta.dirname
const text = readFileSync(join(folder, 'train', 'corpus.txt'), 'utf8')
const characters = charactersOf(text)

async function opened(file: Uint8Array) {
  const { program, weights, summary } = await compileGraph(await importOnnx(memoryModelSource(file)), {
    states: 'auto',
  })
  const chunks = []
  for await (const chunk of weights.chunks()) chunks.push(chunk)
  const bytes = Uint8Array.from(Buffer.concat(chunks))
  const session = await createSession({ kernels: referenceKernels, program, weights: bytes })
  return { session, summary }
}

function queryOf(ids: Uint16Array): Map<string, Tensor> {
  const data = BigInt64Array.from([...ids], BigInt)
  return new Map([['input_ids', { dtype: 'int64', shape: [1, ids.length], data }]])
}

test('gradients are those of finite differences', () => {
  const parameters = initialParameters(7, 3)
  const gradients = zerosLike(parameters)
  const [ids, targets] = [Uint16Array.of(1, 2, 3, 4, 5, 6, 0, 3), Uint16Array.of(2, 3, 4, 5, 6, 0, 3, 1)]
  const run = decode({ parameters, gradients }, ids)
  run.back(crossEntropy(run.output, targets).gradient)
  const lossWith = (values: Float32Array, at: number, value: number) => {
    values[at] = value
    return crossEntropy(decode({ parameters, gradients: zerosLike(parameters) }, ids).output, targets).loss
  }
  let checkedCount = 0
  for (const [name, { values }] of parameters) {
    for (let at = 0; at < 6; at++) {
      const before = values[at] as number
      // Embeddings are small: normalization bends quickly around them.
      const step = name === 'tokens' || name === 'positions' ? 5e-4 : 5e-3
      const slope = (lossWith(values, at, before + step) - lossWith(values, at, before - step)) / (2 * step)
      values[at] = before
      const found = gradients.get(name)?.values[at] as number
      expect(Math.abs(found - slope), name).toBeLessThan(2e-3 + 0.05 * Math.abs(slope))
      checkedCount++
    }
  }
  expect(checkedCount).toBe(6 * parameters.size)
})

test.each(['anywhere', 'lines'] as const)(
  'training on passages from %s lowers the loss, and repeats',
  (starts) => {
    const ids = encodeText(text, characters)
    const phase: TrainingPhase = { seed: 1, starts, stepCount: 2, batchCount: 1, highestLearningRate: 0.05 }
    const run = () => {
      const parameters = initialParameters(characters.length, phase.seed)
      const losses: number[] = []
      train(parameters, ids, characters.indexOf('\n'), phase, (_step, loss) => losses.push(loss))
      return { losses, head: parameters.get('head.bias')?.values }
    }
    const { losses, head } = run()
    expect(losses).toHaveLength(2)
    expect(losses[0]).toBeLessThan(5)
    expect(losses[1]).toBeLessThan((losses[0] as number) - 0.1)
    expect(run()).toEqual({ losses, head })
  },
)

test('a command that there is not is refused, not passed over', () => {
  const cli = join(folder, 'train', 'cli.ts')
  const { status } = spawnSync(process.execPath, ['--conditions=@mlcapsule/source', cli, 'no-such-command'])
  expect(status).toBe(2)
})

test('the exported file computes what was trained', async () => {
  const parameters = initialParameters(characters.length, 5)
  const { session, summary } = await opened(encodeOnnx(parameters))
  expect(summary.states).toHaveLength(2 * gpt.layerCount)
  const ids = encodeText('the host asks, the enclave answers.', characters)
  const own = decode({ parameters, gradients: zerosLike(parameters) }, ids).output
  const found = session.run(queryOf(ids)).get('logits')?.data as Float32Array
  expect(found.length).toBe(own.data.length)
  for (const [at, value] of own.data.entries()) expect(found[at]).toBeCloseTo(value, 4)
  session.dispose()
})

describe('the committed model', () => {
  const file = readFileSync(join(folder, 'model', 'gpt.onnx'))

  test('has a label for each character of the text, one per line', () => {
    const labels = readFileSync(join(folder, 'model', 'labels.txt'), 'utf8')
      .trimEnd()
      .split('\n')
    expect(labels).toEqual(labelsOf(characters))
    expect(labels).toHaveLength(29)
    expect(labels.every((label) => label.trim().length === 1)).toBe(true)
  })

  test('is of the size that the card says, and knows the text better than chance', async () => {
    const card = readFileSync(join(folder, 'MODEL_CARD.md'), 'utf8')
    const { session, summary } = await opened(file)
    expect(card).toContain(
      `${statSync(join(folder, 'model', 'gpt.onnx')).size.toLocaleString('en-US')} bytes`,
    )
    expect(card).toContain(`${summary.parameterCount.toLocaleString('en-US')} float32`)
    expect(card).toContain(`${Buffer.byteLength(text).toLocaleString('en-US')} bytes`)
    const ids = encodeText(text.slice(0, gpt.contextLength + 1), characters)
    const logits = session.run(queryOf(ids.subarray(0, gpt.contextLength))).get('logits')
    const matrix = {
      rowCount: gpt.contextLength,
      columnCount: characters.length,
      data: logits?.data as Float32Array,
    }
    // Guessing among 29 characters is 3.37 nats, going by their frequency alone 2.86.
    expect(crossEntropy(matrix, ids.subarray(1)).loss).toBeLessThan(0.5)
    session.dispose()
  })
})
