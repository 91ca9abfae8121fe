// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import type { AttributeValue } from '../operators/attributes.ts'
import { completeAttributes, type Operator } from '../operators/operator.ts'
import { operatorOf } from '../operators/registry.ts'
import type { Dimension, Program } from '../program/types.ts'
import { noActivation, ProgramBuilder } from './program-builder.ts'
import { SeededRandom } from './random.ts'

/** A matrix of floats: those of one kind have the same shape whatever goes in. */
interface Matrix {
  readonly value: number
  readonly kind: string
}

/**
 * Writes random programs over matrices whose course depends on data: kernels and operators, aliases of both sorts, branches
 * within branches whose outputs are new, outer, or shared, sizes that are declared, left open, or depend on elements.
 * Inputs: `x` [N, M], `mode0`…`mode2` bool, `target` int64 [2] with N * M as its product.
 */
class Writer {
  readonly p = new ProgramBuilder()
  readonly random: SeededRandom
  readonly n: Dimension = this.p.symbol('N')
  readonly m: Dimension = this.p.symbol('M')
  readonly x: number = this.p.input('x', [this.n, this.m])
  readonly modes: readonly number[] = [0, 1, 2].map((i) => this.p.input(`mode${i}`, [], 'bool'))
  readonly target: number = this.p.input('target', [2], 'int64')
  #kindCount = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  /** A place for a result; its dims are declared now and then where they are known. */
  #place(kind: string): number {
    const isDeclared = this.random.next() < 0.5
    if (isDeclared && kind === 'x') return this.p.arena([this.n, this.m])
    return this.p.arena(isDeclared && kind === 'turned x' ? [this.m, this.n] : [null, null])
  }

  #newKind(): string {
    return `other ${++this.#kindCount}`
  }

  #operator(
    operator: string,
    inputs: readonly number[],
    output: number,
    given: Readonly<Record<string, AttributeValue>> = {},
  ): number {
    const attributes = completeAttributes(operatorOf(operator) as Operator, given)
    return this.p.step({ op: 'operator', operator, inputs, outputs: [output], attributes })
  }

  #like(kind: string, known: readonly Matrix[]): Matrix {
    return this.random.pick(known.filter((it) => it.kind === kind))
  }

  /** One step, on what is known. */
  step(known: readonly Matrix[], depth: number): readonly Matrix[] {
    const { p, random } = this
    const a = random.pick(known)
    switch (random.int(0, depth < 3 ? 10 : 8)) {
      case 0:
      case 1: {
        const unary = random.pick(['relu', 'neg', 'abs'] as const)
        const output = this.#place(a.kind)
        return [
          { kind: a.kind, value: p.step({ op: 'unary', input: a.value, output, unary, alpha: 0, beta: 0 }) },
        ]
      }
      case 2:
      case 3: {
        const b = this.#like(a.kind, known).value
        const binary = random.pick(['add', 'max'] as const)
        const output = this.#place(a.kind)
        p.step({ op: 'binary', a: a.value, b, output, binary, activation: noActivation })
        return [{ kind: a.kind, value: output }]
      }
      case 4: {
        const kind = a.kind === 'x' ? 'turned x' : a.kind === 'turned x' ? 'x' : `turned ${a.kind}`
        const output = this.#place(kind)
        return [{ kind, value: p.step({ op: 'transpose', input: a.value, output, permutation: [1, 0] }) }]
      }
      case 5: {
        const name = random.pick(['Identity', 'Reshape'] as const)
        const output = this.#place(a.kind)
        if (name === 'Identity') return [{ kind: a.kind, value: this.#operator(name, [a.value], output) }]
        const b = this.#like(a.kind, known).value
        const shape = this.#operator('Shape', [b], p.arena([2], { dtype: 'int64' }))
        return [{ kind: a.kind, value: this.#operator(name, [a.value, shape], output) }]
      }
      case 6: {
        if (a.kind !== 'x' && a.kind !== 'turned x' && a.kind !== 'target') return []
        const output = p.arena([null, null])
        this.#operator('Reshape', [a.value, this.target], output)
        return [{ kind: 'target', value: output }]
      }
      case 7: {
        // As many columns as there are elements that are not 0.
        const indices = this.#operator('NonZero', [a.value], p.arena([2, null], { dtype: 'int64' }))
        const output = this.#operator('Cast', [indices], p.arena([null, null]), { to: 'float32' })
        return [{ kind: this.#newKind(), value: output }]
      }
      case 8: {
        if (a.kind === 'x')
          return [{ kind: 'x', value: p.alias(p.alias(a.value, [this.m, this.n]), [this.n, this.m]) }]
        const output = p.arena([null, null])
        const inputs = [a.value, this.#like(a.kind, known).value]
        return [{ kind: this.#newKind(), value: p.step({ op: 'concat', inputs, output, axis: 0 }) }]
      }
      default:
        return this.#branches(known, depth)
    }
  }

  #condition(): number {
    const mode = this.random.pick(this.modes)
    return this.random.next() < 0.5
      ? mode
      : this.#operator('Not', [mode], this.p.arena([], { dtype: 'bool' }))
  }

  #branches(known: readonly Matrix[], depth: number): readonly Matrix[] {
    const { p, random } = this
    const condition = this.#condition()
    const outputCount = random.int(1, 3)
    const outputs = Array.from({ length: outputCount }, () => p.arena([null, null]))
    // The step stands before its branches, and is completed once they are known.
    const step = p.openIf(condition, outputs)
    const branches = [0, 1].map(() => {
      const first = p.stepCount
      const all = this.steps(known, random.int(0, 4), depth + 1)
      const own = all.slice(known.length)
      const chosen = outputs.map(() => random.pick(own.length > 0 && random.next() < 0.7 ? own : all))
      return { stepCount: p.stepCount - first, chosen }
    }) as [{ stepCount: number; chosen: Matrix[] }, { stepCount: number; chosen: Matrix[] }]
    const [then, otherwise] = branches
    step.close({
      thenStepCount: then.stepCount,
      elseStepCount: otherwise.stepCount,
      thenOutputs: then.chosen.map((it) => it.value),
      elseOutputs: otherwise.chosen.map((it) => it.value),
    })
    return outputs.map((value, i) => {
      const [a, b] = [then.chosen[i]?.kind, otherwise.chosen[i]?.kind]
      return { value, kind: a !== undefined && a === b ? a : this.#newKind() }
    })
  }

  /** @returns what is known, with what the steps give after it */
  steps(known: readonly Matrix[], count: number, depth: number): readonly Matrix[] {
    let all = known
    for (let i = 0; i < count; i++) all = [...all, ...this.step(all, depth)]
    return all
  }
}

/** @see Writer */
export function randomDynamicProgram(seed: number): Program {
  const writer = new Writer(seed)
  const all = writer.steps([{ kind: 'x', value: writer.x }], writer.random.int(2, 16), 0)
  const { p, random } = writer
  p.output('last', all.at(-1)?.value as number)
  return p.output('other', random.pick(all).value).build().program
}

/** A query for such a program: some elements are 0. */
export function randomQuery(random: SeededRandom): ReadonlyMap<string, Tensor> {
  const [n, m] = [random.int(1, 12), random.int(1, 9)]
  const data = random.floats(n * m).map((it) => (it < -0.4 ? 0 : it))
  const divisors = Array.from({ length: n * m }, (_, i) => i + 1).filter((it) => (n * m) % it === 0)
  const rows = random.pick(divisors)
  const target = BigInt64Array.of(BigInt(rows), BigInt(random.next() < 0.3 ? -1 : (n * m) / rows))
  const bool = (): Tensor => ({ dtype: 'bool', shape: [], data: Uint8Array.of(random.int(0, 1)) })
  return new Map<string, Tensor>([
    ['x', { dtype: 'float32', shape: [n, m], data }],
    ['mode0', bool()],
    ['mode1', bool()],
    ['mode2', bool()],
    ['target', { dtype: 'int64', shape: [2], data: target }],
  ])
}
