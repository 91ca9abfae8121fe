// SPDX-License-Identifier: Apache-2.0
import { seededRandom, type Tensor, type TensorSpec } from '@mlcapsule/contracts'
import { BridgeError, EnclaveSequence, type Inference } from '@mlcapsule/enclave-bridge'
import { describe, expect, test } from 'vitest'
import { type GenerateOptions, type Generator, generate } from './generate.ts'
import { pickToken } from './sampling.ts'
import { encodePrompt, vocabularyOf } from './vocabulary.ts'

const code = (expected: string, field?: string) =>
  expect.objectContaining(field === undefined ? { code: expected } : { code: expected, field })

const ids: TensorSpec = { name: 'ids', dtype: 'int64', shape: ['batch', 'sequence'] }
const logits: TensorSpec = { name: 'logits', dtype: 'float32', shape: ['batch', 'sequence', 4] }
const header = { inputs: [ids], outputs: [logits], labels: ['a', 'b', '␠', '␤'] }
const vocabulary = vocabularyOf(header)

/** Says of each query what came in; the likeliest token after t is t + 1. */
function counting({ units = 1000, blockAt = -1 } = {}) {
  const asked: (readonly bigint[])[] = []
  const closed: number[] = []
  const generator: Generator = {
    openSequence: async () =>
      new EnclaveSequence(1, async (id) => {
        closed.push(id)
      }),
    infer: async (inputs): Promise<Inference> => {
      const { data, shape } = inputs.get('ids') as Tensor
      if (asked.length === units) throw new BridgeError('ENCLAVE_STOPPED', 'no units')
      asked.push([...(data as BigInt64Array)])
      const isBlocked = asked.length === blockAt
      const scores = Float32Array.from({ length: 4 * (shape[1] as number) }, (_, i) =>
        i % 4 === (Number(data[Math.floor(i / 4)]) + 1) % 4 ? 5 : 0,
      )
      const output: Tensor = { dtype: 'float32', shape: [1, shape[1] as number, 4], data: scores }
      return {
        verdict: isBlocked ? 'block' : 'pass',
        outputs: new Map(isBlocked ? [] : [['logits', output]]),
        units: 1,
        unitsLeft: units - asked.length,
      }
    },
  }
  return { generator, asked, closed }
}

async function written(generator: Generator, prompt: string, options?: GenerateOptions) {
  let text = ''
  let error: unknown
  try {
    for await (const token of generate(generator, vocabulary, prompt, options)) text += token.text
  } catch (thrown) {
    error = thrown
  }
  return { text, error }
}

describe('a vocabulary', () => {
  test('is one character per token, with pictures for those that a line cannot hold', () => {
    expect(vocabulary).toEqual({
      inputName: 'ids',
      inputDtype: 'int64',
      outputName: 'logits',
      characters: ['a', 'b', ' ', '\n'],
    })
    expect(encodePrompt('ab \n', vocabulary)).toEqual([0, 1, 2, 3])
  })

  test.each([
    ['no labels', { labels: null }, 'labels'],
    ['a label too few', { labels: ['a', 'b', 'c'] }, 'labels'],
    ['a label twice', { labels: ['a', 'b', 'c', 'a'] }, 'labels'],
    ['a space twice', { labels: ['a', 'b', '␠', ' '] }, 'labels'],
    ['words', { labels: ['a', 'b', 'c', 'cat'] }, 'labels'],
    ['floats as tokens', { inputs: [{ ...ids, dtype: 'float32' as const }] }, 'inputs'],
    ['two inputs', { inputs: [ids, { ...ids, name: 'mask' }] }, 'inputs'],
    ['an image', { inputs: [{ ...ids, shape: [1, 3, 8, 8] }] }, 'inputs'],
    ['one score per text', { outputs: [{ ...logits, shape: ['batch', 4] }] }, 'outputs'],
    ['integers as scores', { outputs: [{ ...logits, dtype: 'int64' as const }] }, 'outputs'],
  ])('is not there with %s', (_what, change, field) => {
    expect(() => vocabularyOf({ ...header, ...change })).toThrow(
      code('CLIENT_MODEL_NOT_GENERATIVE', `header.${field}`),
    )
  })

  test.each(['', 'abc', 'a\tb'])('has no tokens for %j', (prompt) => {
    expect(() => encodePrompt(prompt, vocabulary)).toThrow(code('CLIENT_PROMPT_INVALID', 'prompt'))
  })
})

describe('a token', () => {
  test('without temperature is the first of the likeliest', () => {
    expect(pickToken([0, 3, 1, 3], 0, () => 0.99)).toBe(1)
  })

  test('with temperature is drawn by softmax', () => {
    const scores = [Math.log(1), Math.log(2), Math.log(5)]
    const random = seededRandom(7)
    const counts = [0, 0, 0]
    for (let i = 0; i < 8000; i++) {
      const token = pickToken(scores, 1, random)
      counts[token] = (counts[token] ?? 0) + 1
    }
    for (const [token, share] of [1 / 8, 2 / 8, 5 / 8].entries()) {
      expect((counts[token] ?? 0) / 8000).toBeCloseTo(share, 1)
    }
    expect(pickToken(scores, 0.01, random)).toBe(2)
    expect(pickToken([0, 1], 1, () => 1 - 2 ** -53)).toBe(1)
  })

  test('is drawn again from the same seed', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })
})

describe('a text', () => {
  test('is one query per token: the prompt once, then each token alone', async () => {
    const { generator, asked, closed } = counting()
    expect(await written(generator, 'ab', { tokenCount: 4 })).toEqual({ text: ' \nab', error: undefined })
    expect(asked).toEqual([[0n, 1n], [2n], [3n], [0n]])
    expect(closed).toEqual([1])
  })

  test('is repeatable by its seed', async () => {
    const write = async (seed: number) =>
      (await written(counting().generator, 'a', { tokenCount: 40, temperature: 3, seed })).text
    expect(await write(5)).toBe(await write(5))
    expect(await write(5)).not.toBe(await write(6))
  })

  test('keeps what was written when the units run out or a query is blocked, and closes its sequence', async () => {
    const poor = counting({ units: 2 })
    expect(await written(poor.generator, 'a', { tokenCount: 9 })).toEqual({
      text: 'b ',
      error: code('ENCLAVE_STOPPED'),
    })
    expect(poor.closed).toEqual([1])
    const blocked = counting({ blockAt: 3 })
    expect(await written(blocked.generator, 'a', { tokenCount: 9 })).toEqual({
      text: 'b ',
      error: code('CLIENT_QUERY_BLOCKED'),
    })
  })

  test('that is left ends its sequence, and costs no more', async () => {
    const { generator, asked, closed } = counting()
    for await (const { text } of generate(generator, vocabulary, 'a')) if (text === ' ') break
    expect(asked.length).toBe(2)
    expect(closed).toEqual([1])
  })

  test.each([
    ['tokenCount', { tokenCount: 0 }],
    ['tokenCount', { tokenCount: 1.5 }],
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: Number.NaN }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 2 ** 32 }],
  ])('is not begun with a wrong %s', async (field, options) => {
    const { generator, asked } = counting()
    expect((await written(generator, 'a', options)).error).toEqual(code('CLIENT_ARGUMENT_INVALID', field))
    expect(asked).toEqual([])
  })
})
