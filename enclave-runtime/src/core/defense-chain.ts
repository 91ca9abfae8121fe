// SPDX-License-Identifier: Apache-2.0
import type { DefenseConfig } from '@mlcapsule/capsule-format'
import type { AlarmLevel, Defense, StandardSchema, Tensor, TensorSpec } from '@mlcapsule/contracts'
import { decodeCbor, encodeCbor } from '@mlcapsule/crypto'
import { parseDefenseConfig } from '@mlcapsule/defense-plugins'
import type { Verdict } from '@mlcapsule/enclave-bridge/protocol'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'
import { defenseStateMaxSizeBytes, type Ledger, type QueryOutcome } from '@mlcapsule/metering'
import { isFiniteData, itemOf } from './inputs.ts'

interface Guard {
  readonly defense: Defense
  readonly config: unknown
}

/** What the defenses of a capsule made of one query. */
export interface GuardedAnswer {
  /** Empty when the query was blocked. */
  readonly outputs: readonly Tensor[]
  readonly outcome: QueryOutcome
}

export interface GuardedQuery {
  readonly inputs: readonly Tensor[]
  readonly itemCount: number
  /** Runs the model. What it throws goes through: that is our fault, and the query is not charged. */
  readonly compute: () => readonly Tensor[] | Promise<readonly Tensor[]>
  readonly ledger: Pick<Ledger, 'defenseState'>
}

/** A hook failed, or gave what it may not give: the query is blocked, and charged. */
class Blocked extends Error {}

/**
 * The defenses that a capsule names, in its order. A hook that throws, or that gives NaN or another shape, blocks: a
 * fault must not be a way around a defense.
 */
export class DefenseChain {
  readonly #guards: readonly Guard[]
  readonly #inputs: readonly TensorSpec[]
  readonly #outputs: readonly TensorSpec[]

  /**
   * @throws BridgeError `ENCLAVE_DEFENSE_UNKNOWN` with the place in the list; DefenseError `DEFENSE_CONFIG_INVALID`
   */
  constructor(
    available: readonly Defense[],
    configs: readonly DefenseConfig[],
    ports: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] },
  ) {
    this.#inputs = ports.inputs
    this.#outputs = ports.outputs
    this.#guards = configs.map(({ name, version, config }, index) => {
      const defense = available.find((it) => it.name === name && it.version === version)
      if (defense === undefined) {
        throw new BridgeError('ENCLAVE_DEFENSE_UNKNOWN', 'this build does not have the defense', {
          field: `defenses[${index}]`,
          numbers: [index, version],
        })
      }
      return { defense, config: parseDefenseConfig(defense, config) }
    })
  }

  get entries(): readonly { readonly name: string; readonly version: number }[] {
    return this.#guards.map(({ defense }) => ({ name: defense.name, version: defense.version }))
  }

  /** Takes one query through onQuery, the model and onAnswer. */
  async run({ inputs, itemCount, compute, ledger }: GuardedQuery): Promise<GuardedAnswer> {
    const run = new ChainRun(this.#guards, { inputs: this.#inputs, outputs: this.#outputs }, ledger)
    try {
      for (let item = 0; item < itemCount; item++) run.query(itemOf(inputs, item, itemCount))
    } catch (error) {
      if (error instanceof Blocked) return run.blocked()
      throw error
    }
    const computed = await compute()
    try {
      return run.answer(computed)
    } catch (error) {
      if (error instanceof Blocked) return run.blocked()
      throw error
    }
  }
}

/** One query's way through the chain, with the states of the defenses as they come to be. */
class ChainRun {
  readonly #guards: readonly Guard[]
  readonly #ports: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] }
  readonly #states: unknown[]
  /** New states, encoded, by name. */
  readonly #changed: Record<string, Uint8Array> = {}
  readonly #levels: AlarmLevel[]

  constructor(
    guards: readonly Guard[],
    ports: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] },
    ledger: Pick<Ledger, 'defenseState'>,
  ) {
    this.#guards = guards
    this.#ports = ports
    this.#states = guards.map((guard) => loadState(guard, ledger))
    this.#levels = guards.map(() => 0)
  }

  query(item: readonly Tensor[]): void {
    for (const [index, { defense }] of this.#guards.entries()) {
      if (defense.onQuery === undefined) continue
      const verdict = this.#guarded(() => defense.onQuery?.(this.#context(index), item))
      assertVerdict(verdict, ['pass', 'block'])
      this.#note(index, verdict)
      if (verdict.verdict === 'block') throw new Blocked()
    }
  }

  answer(computed: readonly Tensor[]): GuardedAnswer {
    // The model itself may give NaN for an extreme input; what an answer may hold is the same for all.
    assertOutputs(computed, computed)
    let outputs = computed
    let worst: Verdict = 'pass'
    for (const [index, { defense }] of this.#guards.entries()) {
      if (defense.onAnswer === undefined) continue
      const verdict = this.#guarded(() => defense.onAnswer?.(this.#context(index), outputs))
      assertVerdict(verdict, ['pass', 'perturb', 'degrade', 'block'])
      this.#note(index, verdict)
      if (verdict.verdict === 'block') throw new Blocked()
      if (verdict.verdict === 'pass') continue
      this.#guarded(() => assertOutputs(verdict.outputs, outputs))
      outputs = verdict.outputs
      if (worst !== 'degrade') worst = verdict.verdict
    }
    return { outputs, outcome: this.#outcome(worst) }
  }

  blocked(): GuardedAnswer {
    return { outputs: [], outcome: this.#outcome('block') }
  }

  #context(index: number) {
    const { config } = this.#guards[index] as Guard
    return { config, state: this.#states[index], ...this.#ports }
  }

  #guarded<Result>(act: () => Result): Result {
    try {
      return act()
    } catch {
      throw new Blocked()
    }
  }

  #note(index: number, { state, alarm }: { readonly state?: unknown; readonly alarm?: AlarmLevel }): void {
    if (state !== undefined) {
      const { defense } = this.#guards[index] as Guard
      // What its own schema would refuse at the next query must not get into the record.
      this.#changed[defense.name] = this.#guarded(() => {
        validated(defense.state?.schema, state)
        return encodeCbor(state, { allowFloats: true })
      })
      this.#states[index] = state
    }
    if (alarm === undefined) return
    if (![0, 1, 2, 3].includes(alarm)) throw new Blocked()
    if (alarm > (this.#levels[index] as AlarmLevel)) this.#levels[index] = alarm
  }

  #outcome(verdict: Verdict): QueryOutcome {
    return { verdict, levels: this.#levels, defenses: this.#changed }
  }
}

function loadState({ defense, config }: Guard, ledger: Pick<Ledger, 'defenseState'>): unknown {
  if (defense.state === undefined) return undefined
  const stored = ledger.defenseState(defense.name)
  if (stored === undefined) return defense.state.initial(config)
  const value = decodeCbor(stored, { maxSizeBytes: defenseStateMaxSizeBytes, allowFloats: true })
  return validated(defense.state.schema, value)
}

function validated(schema: StandardSchema<unknown> | undefined, value: unknown): unknown {
  const result = schema?.['~standard'].validate(value)
  if (result === undefined || result instanceof Promise || result.issues !== undefined) {
    throw new BridgeError('ENCLAVE_RECORD_INVALID', 'the state of a defense is not of its schema', {
      field: 'defenses',
    })
  }
  return result.value
}

/** A hook that forgets to answer, or answers later, is as faulty as one that throws. */
function assertVerdict<const Word extends string>(
  found: { readonly verdict: string } | undefined,
  words: readonly Word[],
): asserts found is { readonly verdict: Word } {
  if (!(words as readonly unknown[]).includes(found?.verdict)) throw new Blocked()
}

function assertOutputs(found: readonly Tensor[], expected: readonly Tensor[]): void {
  const fits =
    found.length === expected.length &&
    found.every((it, index) => {
      const model = expected[index] as Tensor
      return (
        it.dtype === model.dtype &&
        it.shape.length === model.shape.length &&
        it.shape.every((size, axis) => size === model.shape[axis]) &&
        it.data.length === model.data.length &&
        it.data.BYTES_PER_ELEMENT === model.data.BYTES_PER_ELEMENT &&
        isFiniteData(it.dtype, it.data)
      )
    })
  if (!fits) throw new Blocked()
}
