// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundTensor } from '../plan/bound.ts'
import { symbolSizes } from '../program/bind-dims.ts'
import type { Dimension, Program, ProgramValue } from '../program/types.ts'

export interface StateOptions {
  /** What the state may grow to; no bound of its own when absent. */
  readonly maxSizeBytes?: number
}

/** What a sequence of queries has left for the next one, such as a decoder's keys and values. Opaque: nobody reads it. */
export interface SessionState {
  /** Bytes that are held: 0 before the first commit. */
  readonly sizeBytes: number
  /** Bytes that `commit` would hold; null when nothing is staged. */
  readonly stagedSizeBytes: number | null
  /** What the last run left takes the place of what is held, which is wiped. Without a staged one nothing happens. */
  commit(): void
  /** Wipes what the last run left: the next one begins where the last one did. */
  discard(): void
  /** Wipes all of it. Runs with it are refused from now on. */
  dispose(): void
}

interface HeldTensor {
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

const sizeOf = (tensors: readonly HeldTensor[]) => tensors.reduce((sum, { bytes }) => sum + bytes.length, 0)

function wipe(tensors: readonly HeldTensor[] | null): void {
  for (const { bytes } of tensors ?? []) bytes.fill(0)
}

/** The state of one sequence of queries to one session. */
export class HeldState implements SessionState {
  readonly #program: Program
  readonly #maxSizeBytes: number
  /** Null before the first commit. */
  #held: readonly HeldTensor[] | null = null
  #staged: readonly HeldTensor[] | null = null
  #disposed: boolean = false

  /** @throws KernelError `KERNEL_OPTION_INVALID` */
  constructor(program: Program, { maxSizeBytes = Number.MAX_SAFE_INTEGER }: StateOptions = {}) {
    if (!Number.isSafeInteger(maxSizeBytes) || maxSizeBytes < 0) {
      const detail = `maxSizeBytes: expected a count of bytes, got ${maxSizeBytes}`
      throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'maxSizeBytes' })
    }
    this.#program = program
    this.#maxSizeBytes = maxSizeBytes
  }

  get sizeBytes(): number {
    return sizeOf(this.#held ?? [])
  }

  get stagedSizeBytes(): number | null {
    return this.#staged === null ? null : sizeOf(this.#staged)
  }

  get isDisposed(): boolean {
    return this.#disposed
  }

  commit(): void {
    if (this.#staged === null) return
    wipe(this.#held)
    this.#held = this.#staged
    this.#staged = null
  }

  discard(): void {
    wipe(this.#staged)
    this.#staged = null
  }

  dispose(): void {
    this.discard()
    wipe(this.#held)
    this.#held = null
    this.#disposed = true
  }

  /**
   * Dims of each state for a query.
   * @param inputDims of the query's inputs
   * @throws KernelError `KERNEL_STATE_SHAPE_MISMATCH` where what is held was left by queries of another size
   */
  dimsFor(inputDims: readonly (readonly number[])[]): readonly (readonly number[])[] {
    const sizes = [...symbolSizes(this.#program, inputDims)]
    return this.#program.states.map(({ input }, i) => {
      const { dims } = this.#program.values[input] as ProgramValue
      const held = this.#held?.[i]
      if (held === undefined) return dims.map((dim) => firstSize(dim, sizes))
      return dims.map((dim, d) => {
        const size = held.shape[d] as number
        const symbol = typeof dim === 'object' && dim !== null ? dim.symbol : undefined
        const expected = symbol === undefined ? dim : (sizes[symbol] ?? size)
        if (expected !== size) throw mismatch(symbol === undefined ? '' : this.#program.symbols[symbol])
        if (symbol !== undefined) sizes[symbol] = size
        return size
      })
    })
  }

  /** Writes what is held to where a query reads it: zeros at first. */
  copyTo(places: readonly BoundTensor[], memory: Uint8Array): void {
    for (const [i, { addressBytes, sizeBytes }] of places.entries()) {
      const target = memory.subarray(addressBytes, addressBytes + sizeBytes)
      const held = this.#held?.[i]
      if (held === undefined) target.fill(0)
      else target.set(held.bytes)
    }
  }

  /**
   * Takes what a query has left.
   * @throws KernelError `KERNEL_STATE_TOO_LARGE`; nothing is staged then
   */
  stage(places: readonly BoundTensor[], memory: Uint8Array): void {
    this.discard()
    const sizeBytes = places.reduce((sum, place) => sum + place.sizeBytes, 0)
    if (sizeBytes > this.#maxSizeBytes) {
      const detail = `the state would have ${sizeBytes} bytes, at most ${this.#maxSizeBytes}`
      throw new KernelError('KERNEL_STATE_TOO_LARGE', detail, { field: 'state' })
    }
    this.#staged = places.map(({ shape, dtype, addressBytes }) => {
      const count = shape.reduce((product, size) => product * size, elementSizeBytes(dtype))
      return { shape, bytes: memory.slice(addressBytes, addressBytes + count) }
    })
  }
}

/** A size of a state that nothing has been put into yet. */
function firstSize(dim: Dimension, sizes: readonly (number | undefined)[]): number {
  return typeof dim === 'object' ? (sizes[dim?.symbol ?? -1] ?? 0) : dim
}

function mismatch(symbol: string | undefined): KernelError {
  const what = symbol === undefined || symbol === '' ? 'another size' : `another ${symbol}`
  const detail = `the state was left by queries of ${what} than this one`
  return new KernelError('KERNEL_STATE_SHAPE_MISMATCH', detail, { field: 'state' })
}
