// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import type { EnclaveHandle, InferOptions } from '@mlcapsule/enclave-bridge'
import { encodeProgram } from '@mlcapsule/inference-kernels/program'
import { noActivation, ProgramBuilder } from '@mlcapsule/inference-kernels/testing'
import { expect, test } from 'vitest'
import { freshMachine, type StartInMemoryOptions, startInMemory } from './machine.ts'
import { challengeFor, createWorld, denseModel, type ProviderOptions, respond } from './world.ts'

/** y = log(sum of x over all queries of the sequence): NaN, which blocks a query, where the sum is negative. */
function summingModel(): ReturnType<typeof denseModel> {
  const p = new ProgramBuilder()
  const x = p.input('x', [1, 2])
  const before = p.arena([1, 2])
  const sum = p.step({
    op: 'binary',
    a: before,
    b: x,
    output: p.arena([1, 2]),
    binary: 'add',
    activation: noActivation,
  })
  const y = p.step({ op: 'unary', input: sum, output: p.arena([1, 2]), unary: 'log', alpha: 0, beta: 0 })
  const { program, weights } = p.output('y', y).state(before, sum).build()
  return {
    ...denseModel(1, 1),
    program: encodeProgram(program),
    weights,
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 2] }],
  }
}

const query = (a: number, b: number = a): Map<string, Tensor> =>
  new Map([['x', { dtype: 'float32', shape: [1, 2], data: Float32Array.of(a, b) }]])

async function start(options: StartInMemoryOptions & ProviderOptions & { model?: typeof summingModel } = {}) {
  const world = await createWorld({ model: (options.model ?? summingModel)() })
  const handle = await startInMemory(await world.open(), options)
  const challenge = await challengeFor(world)
  const offer = await handle.beginActivation(challenge.token)
  await handle.finishActivation(await respond(world, challenge, offer, options))
  return { world, handle }
}

/** The sum that the answer is the logarithm of. */
async function sumOf(handle: EnclaveHandle, a: number, options: InferOptions = {}): Promise<number> {
  const { outputs } = await handle.infer(query(a), options)
  return Math.exp(Number(outputs.get('y')?.data[0]))
}

const code = (expected: string) => expect.objectContaining({ code: expected })

test('queries of a sequence go on from one another; others, and those without one, do not', async () => {
  const { handle } = await start()
  const [first, second] = [await handle.openSequence(), await handle.openSequence()]
  expect(await sumOf(handle, 1, { sequence: first })).toBeCloseTo(1, 5)
  expect(await sumOf(handle, 2, { sequence: first })).toBeCloseTo(3, 5)
  expect(await sumOf(handle, 10, { sequence: second })).toBeCloseTo(10, 4)
  expect(await sumOf(handle, 5)).toBeCloseTo(5, 5)
  expect(await sumOf(handle, 3, { sequence: first })).toBeCloseTo(6, 5)
  expect([first.step, second.step]).toEqual([3, 1])
  expect(await handle.usage()).toMatchObject({ unitsSpent: 5 })
  // Several may wait for the lane: each takes its place when its turn comes.
  const waiting = [1, 1, 1].map((a) => sumOf(handle, a, { sequence: second }))
  expect((await Promise.all(waiting)).map((it) => Math.round(it))).toEqual([11, 12, 13])
  await handle.close()
})

test('a query that is blocked is charged, and leaves the sequence as it was', async () => {
  const { handle } = await start()
  const sequence = await handle.openSequence()
  await sumOf(handle, 4, { sequence })
  const blocked = await handle.infer(query(-100), { sequence })
  expect(blocked).toMatchObject({ verdict: 'block', units: 1 })
  expect(blocked.outputs.size).toBe(0)
  expect(sequence.step).toBe(1)
  expect(await sumOf(handle, 1, { sequence })).toBeCloseTo(5, 5)
  await handle.close()
})

test('a query that is refused leaves the sequence as it was', async () => {
  const { handle } = await start({ units: 2, blockMax: 1 })
  const sequence = await handle.openSequence()
  await sumOf(handle, 4, { sequence })
  await expect(handle.infer(query(Number.NaN), { sequence })).rejects.toThrow(
    code('ENCLAVE_INPUT_NOT_FINITE'),
  )
  expect(await sumOf(handle, 1, { sequence })).toBeCloseTo(5, 5)
  await expect(handle.infer(query(1), { sequence })).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
  expect(sequence.step).toBe(2)
  await handle.close()
})

test('a query that is repeated with its retry id advances the sequence once, and is charged once', async () => {
  const { handle } = await start()
  const sequence = await handle.openSequence()
  const retryId = new Uint8Array(16).fill(9)
  expect(await sumOf(handle, 4, { sequence, retryId })).toBeCloseTo(4, 5)
  expect(await sumOf(handle, 4, { sequence, retryId })).toBeCloseTo(4, 5)
  expect(await handle.usage()).toMatchObject({ unitsSpent: 1 })
  expect(sequence.step).toBe(1)
  // The same inputs elsewhere are another query.
  const other = await handle.openSequence()
  await expect(handle.infer(query(4), { sequence: other, retryId })).rejects.toThrow(
    code('ENCLAVE_RETRY_MISMATCH'),
  )
  expect(await sumOf(handle, 4, { sequence })).toBeCloseTo(8, 5)
  // By now the first one is no longer the last: it is not run again.
  await sumOf(handle, 1, { retryId: new Uint8Array(16).fill(1) })
  const position = sequence.positionOf(undefined)
  sequence.positionOf = () => ({ ...position, step: 0 })
  await expect(handle.infer(query(4), { sequence, retryId })).rejects.toMatchObject({
    code: 'ENCLAVE_SEQUENCE_STEP_MISMATCH',
    field: 'sequence',
    numbers: [2, 0],
  })
  expect(await handle.usage()).toMatchObject({ unitsSpent: 3 })
  await handle.close()
})

test('an id that is not open is refused, and so is one of an enclave that has ended', async () => {
  const machine = freshMachine()
  const { world, handle } = await start({ machine })
  const sequence = await handle.openSequence()
  await sumOf(handle, 1, { sequence })
  await sequence.close()
  await expect(handle.infer(query(1), { sequence })).rejects.toThrow(code('ENCLAVE_SEQUENCE_UNKNOWN'))
  await expect(sequence.close()).rejects.toThrow(code('ENCLAVE_SEQUENCE_UNKNOWN'))
  const left = await handle.openSequence()
  await handle.close()
  const again = await startInMemory(await world.open(), { machine })
  await again.resume()
  await expect(again.infer(query(1), { sequence: left })).rejects.toThrow(code('ENCLAVE_SEQUENCE_UNKNOWN'))
  expect(await again.usage()).toMatchObject({ unitsSpent: 1 })
  await again.close()
})

test('a sequence of another enclave is refused, and touches none of this one', async () => {
  const [one, two] = [await start(), await start()]
  const [foreign, own] = [await one.handle.openSequence(), await two.handle.openSequence()]
  await sumOf(one.handle, 100, { sequence: foreign })
  await sumOf(two.handle, 1, { sequence: own })
  // Both have the same id, and stand at the same step.
  await expect(two.handle.infer(query(2), { sequence: foreign })).rejects.toMatchObject({
    code: 'ENCLAVE_SEQUENCE_UNKNOWN',
    field: 'sequence',
  })
  expect(await sumOf(two.handle, 2, { sequence: own })).toBeCloseTo(3, 5)
  await one.handle.close()
  await two.handle.close()
})

test('an enclave keeps 16 sequences, and none of a model without states', async () => {
  const { handle } = await start()
  const open = []
  for (let i = 0; i < 16; i++) open.push(await handle.openSequence())
  await expect(handle.openSequence()).rejects.toMatchObject({
    code: 'ENCLAVE_SEQUENCE_LIMIT_EXCEEDED',
    numbers: [16],
  })
  await open[3]?.close()
  await handle.openSequence()
  await handle.close()
  const other = await start({ model: () => denseModel(64, 4) })
  await expect(other.handle.openSequence()).rejects.toThrow(code('ENCLAVE_SEQUENCE_UNSUPPORTED'))
  await other.handle.close()
})
