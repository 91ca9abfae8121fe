// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, seededRandom, type Tensor } from '@mlcapsule/contracts'
import type { CallOptions, EnclaveSequence, Inference } from '@mlcapsule/enclave-bridge'
import { ClientError } from '../errors.ts'
import { pickToken } from './sampling.ts'
import { encodePrompt, type Vocabulary } from './vocabulary.ts'

export interface GenerateOptions extends CallOptions {
  /** Tokens to write at most, 100 when absent. Each costs one query. */
  readonly tokenCount?: number
  /** 0, when absent, takes the likeliest token every time; more than 0 draws by chance, the higher the freer. */
  readonly temperature?: number
  /** Makes the draws repeatable: an integer from 0 to 2³²−1. */
  readonly seed?: number
}

/** One token that a model wrote. */
export interface GeneratedToken {
  /** Its place in the vocabulary. */
  readonly token: number
  readonly text: string
  /** Units charged for it, and units left. */
  readonly units: number
  readonly unitsLeft: number
}

/** What asks the model. */
export interface Generator {
  openSequence(options?: CallOptions): Promise<EnclaveSequence>
  infer(
    inputs: ReadonlyMap<string, Tensor>,
    options: CallOptions & { readonly sequence: EnclaveSequence },
  ): Promise<Inference>
}

const seedLimit = 2 ** 32

function assertOptions({ tokenCount = 1, temperature = 0, seed = 0 }: GenerateOptions): void {
  const invalid = (field: string, expected: string, found: number) =>
    new ClientError('CLIENT_ARGUMENT_INVALID', `${field}: expected ${expected}, got ${found}`, { field })
  if (!Number.isSafeInteger(tokenCount) || tokenCount < 1) {
    throw invalid('tokenCount', 'a positive integer', tokenCount)
  }
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw invalid('temperature', 'a number of at least 0', temperature)
  }
  if (!Number.isSafeInteger(seed) || seed < 0 || seed >= seedLimit) {
    throw invalid('seed', 'an integer from 0 to 4294967295', seed)
  }
}

function tensorOf({ inputName, inputDtype }: Vocabulary, tokens: readonly number[]): Map<string, Tensor> {
  const shape = [1, tokens.length]
  const tensor: Tensor =
    inputDtype === 'int64'
      ? { dtype: 'int64', shape, data: BigInt64Array.from(tokens, BigInt) }
      : { dtype: 'int32', shape, data: Int32Array.from(tokens) }
  return new Map([[inputName, tensor]])
}

/** Scores of what comes after the last token of a query. */
function lastScores(
  { outputs, verdict }: Inference,
  { outputName, characters }: Vocabulary,
): ArrayLike<number> {
  if (verdict === 'block') {
    throw new ClientError('CLIENT_QUERY_BLOCKED', 'a defense of the model blocked the last query')
  }
  const scores = outputs.get(outputName)?.data
  if (scores instanceof Float32Array || scores instanceof Float64Array) {
    return scores.subarray(-characters.length)
  }
  throw new ClientError('CLIENT_MODEL_NOT_GENERATIVE', 'the answer holds no scores', { field: outputName })
}

/**
 * Lets a model write on from a prompt, token by token. Each token is one query of one sequence: the first one sends the
 * prompt, each later one the token before it, and what the model keeps of them stays in the enclave.
 * @throws ClientError `CLIENT_PROMPT_INVALID`, `CLIENT_ARGUMENT_INVALID`, before anything is charged;
 * `CLIENT_QUERY_BLOCKED`; EnclaveError, such as `LICENSE_QUOTA_EXHAUSTED` when the units run out
 */
export async function* generate(
  generator: Generator,
  vocabulary: Vocabulary,
  prompt: string,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  assertOptions(options)
  const { tokenCount = 100, temperature = 0, seed, signal, timeoutMs } = options
  const call = {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  const random = seededRandom(seed ?? Math.floor(Math.random() * seedLimit))
  let tokens = encodePrompt(prompt, vocabulary)
  const sequence = await generator.openSequence(call)
  try {
    for (let count = 0; count < tokenCount; count++) {
      const inference = await generator.infer(tensorOf(vocabulary, tokens), { ...call, sequence })
      const token = pickToken(lastScores(inference, vocabulary), temperature, random)
      const { units, unitsLeft } = inference
      yield { token, text: vocabulary.characters[token] as string, units, unitsLeft }
      tokens = [token]
    }
  } finally {
    await sequence.close().catch(ignoreEnded)
  }
}

/** An enclave that has ended keeps no sequences. */
function ignoreEnded(error: unknown): void {
  if (!isMlCapsuleError(error)) throw error
}
