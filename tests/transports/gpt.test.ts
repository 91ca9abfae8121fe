// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import type { EnclaveHandle, InferOptions } from '@mlcapsule/enclave-bridge'
import { launchEnclave, nativeKernelsAddonPath } from '@mlcapsule/enclave-bridge/node'
import { compileGraph, importOnnx } from '@mlcapsule/model-graph'
import { fileModelSource } from '@mlcapsule/model-graph/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CrossingFrame, startInMemory } from './machine.ts'
import { challengeFor, createWorld, denseModel, respond, type World } from './world.ts'

const root = join(import.meta.dirname, '..', '..')
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-gpt-'))
const bundleDir = join(home, 'enclave')
const vocabularySize = 29
const contextLength = 256

async function packed(): Promise<World> {
  const source = await fileModelSource(join(root, 'examples', 'gpt', 'model', 'gpt.onnx'))
  try {
    const { program, weights, inputs, outputs } = await compileGraph(await importOnnx(source), {
      states: 'auto',
    })
    const chunks = []
    for await (const chunk of weights.chunks()) chunks.push(chunk)
    const model = {
      ...denseModel(1, 1),
      program,
      weights: Uint8Array.from(Buffer.concat(chunks)),
      inputs,
      outputs,
    }
    return await createWorld({ model: { ...model, inputs: [...inputs], outputs: [...outputs] } })
  } finally {
    await source.close()
  }
}

let world: World
beforeAll(async () => {
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', 'build/build.mjs', bundleDir], {
    cwd: join(root, 'enclave-runtime'),
    stdio: 'pipe',
  })
  world = await packed()
}, 60_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function activate(handle: EnclaveHandle): Promise<void> {
  const challenge = await challengeFor(world)
  const offer = await handle.beginActivation(challenge.token)
  await handle.finishActivation(await respond(world, challenge, offer, { units: 1000, blockMax: 500 }))
}

/** Scores of the token after the last one. */
async function ask(handle: EnclaveHandle, tokens: readonly number[], options: InferOptions = {}) {
  const ids: Tensor = {
    dtype: 'int64',
    shape: [1, tokens.length],
    data: BigInt64Array.from(tokens, BigInt),
  }
  const { outputs } = await handle.infer(new Map([['input_ids', ids]]), options)
  expect([...outputs.keys()]).toEqual(['logits'])
  const logits = outputs.get('logits') as Tensor
  expect(logits.shape).toEqual([1, tokens.length, vocabularySize])
  return (logits.data as Float32Array).slice(-vocabularySize)
}

const likeliest = (scores: Float32Array) => scores.indexOf(Math.max(...scores))
/** "the enclave ", as places in the model's labels. */
const prompt = [22, 12, 9, 1, 9, 17, 7, 15, 5, 24, 9, 1]

const entries = [
  { name: 'worker, wasm kernels', entry: 'worker', kernels: 'wasm', isThere: true },
  { name: 'process, wasm kernels', entry: 'process', kernels: 'wasm', isThere: true },
  {
    name: 'process, native kernels',
    entry: 'process',
    kernels: 'native',
    isThere: nativeKernelsAddonPath() !== undefined && existsSync(nativeKernelsAddonPath() as string),
  },
] as const

describe.each(entries)('$name', ({ name, entry, kernels, isThere }) => {
  const reason = isThere ? '' : ' (skipped: the native kernels are not built here)'
  test.skipIf(!isThere)(
    `tokens from the state are those of the whole text anew${reason}`,
    async () => {
      const handle = await launchEnclave({
        bundleDir,
        stateDir: join(home, name.replaceAll(/[^a-z]+/g, '-')),
        capsule: await world.open(),
        entry,
        kernels,
      })
      await activate(handle)
      const sequence = await handle.openSequence()
      const text = [...prompt]
      let query: readonly number[] = prompt
      for (let count = 0; count < 40; count++) {
        const scores = await ask(handle, query, { sequence })
        const anew = await ask(handle, text)
        expect(likeliest(scores)).toBe(likeliest(anew))
        for (const [token, score] of scores.entries()) {
          expect(Math.abs(score - (anew[token] as number))).toBeLessThan(1e-4)
        }
        query = [likeliest(scores)]
        text.push(...query)
      }
      expect(sequence.step).toBe(40)
      expect(await handle.usage()).toMatchObject({ unitsSpent: 80 })
      await handle.close()
      await handle.closed
    },
    60_000,
  )
})

describe('what crosses the boundary', () => {
  test('is one token in and its scores out, however long the text is', async () => {
    const crossing: CrossingFrame[] = []
    const handle = await startInMemory(await world.open(), { onFrame: (frame) => crossing.push(frame) })
    await activate(handle)
    const sequence = await handle.openSequence()
    let next = likeliest(await ask(handle, prompt, { sequence }))
    for (let count = 0; count < 200; count++) {
      crossing.length = 0
      next = likeliest(await ask(handle, [next], { sequence }))
      expect(crossing.map(({ from, payloadSizesBytes }) => [from, payloadSizesBytes])).toEqual([
        ['host', [8]],
        ['enclave', [vocabularySize * 4]],
      ])
      // What is not payload differs by the length of small integers alone: ids, steps, units, a receipt.
      const [asked, answered] = crossing.map(({ controlSizeBytes }) => controlSizeBytes) as [number, number]
      expect(asked).toBeGreaterThan(100)
      expect(asked).toBeLessThan(150)
      expect(answered).toBeLessThan(400)
    }
    await handle.close()
  }, 60_000)

  test('ends with the context: a token too many is refused, costs nothing, and leaves the sequence', async () => {
    const handle = await startInMemory(await world.open())
    await activate(handle)
    const sequence = await handle.openSequence()
    const full = Array.from({ length: contextLength }, (_, i) => prompt[i % prompt.length] as number)
    await ask(handle, full.slice(1), { sequence })
    await expect(ask(handle, [1, 2], { sequence })).rejects.toMatchObject({ code: 'KERNEL_VALUE_INVALID' })
    await ask(handle, [1], { sequence })
    await expect(ask(handle, [1], { sequence })).rejects.toMatchObject({ code: 'KERNEL_VALUE_INVALID' })
    expect(await handle.usage()).toMatchObject({ unitsSpent: 2 })
    await handle.close()
  })

  test('and the header says nothing of layers, heads or cache', async () => {
    const { inputs, outputs } = (await world.open()).header
    expect(inputs).toEqual([{ name: 'input_ids', dtype: 'int64', shape: ['batch', 'sequence'] }])
    expect(outputs).toEqual([
      { name: 'logits', dtype: 'float32', shape: ['batch', 'sequence', vocabularySize] },
    ])
  })
})
