// SPDX-License-Identifier: Apache-2.0
import {
  type CapsuleHeader,
  CapsuleKeys,
  decodeProgramBlob,
  type ProgramBlob,
} from '@mlcapsule/capsule-format'
import {
  type Defense,
  elementCount,
  elementSizeBytes,
  isMlCapsuleError,
  type Tensor,
  type TensorSpec,
} from '@mlcapsule/contracts'
import { type Secret, wipe } from '@mlcapsule/crypto'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'
import { createSession, type Session, type SessionState, smallestBudget } from '@mlcapsule/inference-kernels'
import { type Dimension, decodeProgram, type Program } from '@mlcapsule/inference-kernels/program'
import type { LicenseClaims } from '@mlcapsule/metering'
import { DefenseChain } from './defense-chain.ts'
import type { Host } from './host.ts'
import type { CheckedInputs } from './inputs.ts'
import { PagedWeights, PageReader, type PageReaderOptions, readBlob } from './page-reader.ts'
import type { Platform } from './platform.ts'
import { streamedPages } from './streamed-pages.ts'

export interface OpenModelOptions {
  readonly header: CapsuleHeader
  /** Of what lies in front of the first page: magic, length, header, signature. */
  readonly prefixSizeBytes: number
  readonly contentKey: Secret<'content-key'>
  readonly platform: Platform
  readonly host: Host
  readonly defenses: readonly Defense[]
}

function unsuitable(field: string, detail: string): BridgeError {
  return new BridgeError('ENCLAVE_CAPSULE_UNSUITABLE', detail, { field })
}

function wiped(): BridgeError {
  return new BridgeError('ENCLAVE_STOPPED', 'the model is wiped')
}

/** A model with its weights in the kernels' memory. */
export class Model {
  readonly chain: DefenseChain
  readonly #header: CapsuleHeader
  readonly #platform: Platform
  readonly #pages: PageReaderOptions
  readonly #prefixSizeBytes: number
  readonly #program: Program
  readonly #weightsSizeBytes: number
  #session: Session | undefined
  #wiped: boolean = false

  private constructor(options: OpenModelOptions, keys: CapsuleKeys, blob: ProgramBlob) {
    const { header, platform, host } = options
    this.#header = header
    this.#prefixSizeBytes = options.prefixSizeBytes
    this.#platform = platform
    this.#pages = { header, keys, host, aead: platform.aead }
    this.#program = decodeProgram(blob.program)
    this.#weightsSizeBytes = blob.weightsSizeBytes
    assertPorts(this.#program, header)
    if (blob.answerPolicy !== null) throw unsuitable('program', 'this build knows no answer policies')
    this.chain = new DefenseChain(options.defenses, blob.defenses, header)
  }

  /**
   * Checks the content key against the header's commitment, opens the program, and fills the kernels' memory.
   * @throws CapsuleFormatError `CAPSULE_KEY_MISMATCH`, `CAPSULE_PROGRAM_MALFORMED`; CryptoError `SEAL_OPEN_FAILED`;
   * KernelError `PROGRAM_*`, `KERNEL_*`; BridgeError `ENCLAVE_PAGE_INVALID`, `ENCLAVE_DEFENSE_UNKNOWN`,
   * `ENCLAVE_CAPSULE_UNSUITABLE`
   */
  static async open(options: OpenModelOptions): Promise<Model> {
    const { header, platform, host } = options
    const keys = CapsuleKeys.derive(options.contentKey, header)
    try {
      const reader = new PageReader('program', { header, keys, host, aead: platform.aead })
      const plaintext = await readBlob(reader)
      let model: Model
      try {
        model = new Model(options, keys, decodeProgramBlob(plaintext, header))
      } finally {
        wipe(plaintext)
      }
      await model.#load()
      return model
    } catch (error) {
      keys.wipe()
      throw error
    }
  }

  /** In the order in which answers hold them. */
  get outputNames(): readonly string[] {
    return this.#header.outputs.map(({ name }) => name)
  }

  /** In whole MiB: the host must not learn the number of steps or the size of the widest layer from it. */
  get memorySizeBytes(): number {
    const report = this.#live().memoryReport
    const parts: readonly number[] = Object.values(report)
    return roundUp(
      parts.reduce((sum, it) => sum + it, 0),
      1_048_576,
    )
  }

  get isa(): string {
    return this.#live().isa
  }

  /** @throws BridgeError `ENCLAVE_CAPSULE_UNSUITABLE` for a license that names other defenses */
  assertLicensed(claims: LicenseClaims): void {
    const own = this.chain.entries
    const fits =
      own.length === claims.defenses.length &&
      own.every((it, i) => claims.defenses[i]?.name === it.name && claims.defenses[i]?.version === it.version)
    if (!fits) throw unsuitable('defenses', "the license does not list the capsule's defenses")
  }

  /** Whether a query can go on from another one. */
  get hasStates(): boolean {
    return this.#program.states.length > 0
  }

  /** What a sequence of queries goes on from; wiped with the model. */
  createState(maxSizeBytes: number): SessionState {
    return this.#live().createState({ maxSizeBytes })
  }

  /**
   * Runs the model. With a state, what the query leaves is staged there.
   * @returns outputs in the order of the header; a promise only where weights have to be waited for
   * @throws KernelError `KERNEL_*`, `PROGRAM_*` for sizes and elements that do not go together; as `open` for pages that come
   * with the query
   */
  run(inputs: CheckedInputs, state?: SessionState): readonly Tensor[] | Promise<readonly Tensor[]> {
    const session = this.#live()
    const options = state === undefined ? {} : { state }
    const inOrder = (outputs: ReadonlyMap<string, Tensor>) =>
      this.#header.outputs.map(({ name }) => outputs.get(name) as Tensor)
    if (session.waitsForPages) return session.runAsync(inputs.byName, options).then(inOrder)
    return inOrder(session.run(inputs.byName, options))
  }

  /** Size of an answer to these inputs, all outputs together. */
  answerSizeBytes({ symbols }: CheckedInputs): number {
    const sizes = this.#header.outputs.map(({ dtype, shape }) => {
      const bound = shape.map((it) => (typeof it === 'number' ? it : (symbols[it] ?? 1)))
      return elementCount(bound) * elementSizeBytes(dtype)
    })
    return sizes.reduce((sum, it) => sum + it, 0)
  }

  wipe(): void {
    this.#wiped = true
    this.#session?.dispose()
    this.#session = undefined
    this.#pages.keys.wipe()
  }

  /** One of each: what most queries have. A model need not take it. */
  #usualSizes(): Readonly<Record<string, number>> {
    const named = this.#header.inputs.flatMap(({ shape }) => shape.filter((it) => typeof it === 'string'))
    return Object.fromEntries(named.map((name) => [name, 1]))
  }

  #live(): Session {
    if (this.#session === undefined) throw wiped()
    return this.#session
  }

  async #load(): Promise<void> {
    const reader = new PageReader('weights', this.#pages)
    const sizeBytes = this.#weightsSizeBytes
    const pages = streamedPages(this.#pages, this.#prefixSizeBytes)
    const weights = new PagedWeights(
      reader,
      sizeBytes,
      progress(this.#pages.host, reader.pageSizeBytes, sizeBytes),
      pages.withSealed,
    )
    const { memoryBudgetSizeBytes } = this.#platform
    try {
      const session = await createSession({
        ...(memoryBudgetSizeBytes === undefined
          ? {}
          : { budget: { sizeBytes: memoryBudgetSizeBytes, pages } }),
        kernels: this.#platform.kernels,
        program: this.#program,
        weights,
        guessedSymbols: this.#usualSizes(),
        threadCount: this.#platform.threadCount,
      })
      // The door may have closed while the last page was opened.
      if (this.#wiped) {
        session.dispose()
        throw wiped()
      }
      this.#session = session
    } catch (error) {
      if (!isMlCapsuleError(error) || error.code !== 'KERNEL_BUDGET_TOO_SMALL') throw error
      throw this.#budgetTooSmall(error)
    } finally {
      weights.wipe()
    }
  }

  /** Names the least budget in whole MiB, for the reason for which `memorySizeBytes` is. */
  #budgetTooSmall(cause: unknown): BridgeError {
    const { pageSizeBytes } = this.#header.blobs.weights
    const { threadCount } = this.#platform
    const symbols = this.#usualSizes()
    const least = roundUp(smallestBudget(this.#program, { pageSizeBytes, threadCount, symbols }), 1_048_576)
    const detail = `the model needs a budget of ${least} bytes`
    return new BridgeError('ENCLAVE_BUDGET_TOO_SMALL', detail, {
      field: 'memoryBudgetSizeBytes',
      numbers: [least],
      cause,
    })
  }
}

/** Tells the host about every 64th part: how far, out of how much. In whole pages, which it has delivered itself. */
function progress(host: Host, pageSizeBytes: number, sizeBytes: number): (doneBytes: number) => void {
  let told = 0
  return (doneBytes) => {
    if (doneBytes < sizeBytes && doneBytes - told < sizeBytes / 64) return
    told = doneBytes
    host.emit('weights-progress', [roundUp(doneBytes, pageSizeBytes), roundUp(sizeBytes, pageSizeBytes)])
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}

/** The signed header tells the client what goes in and comes out; the program has to agree. */
function assertPorts(program: Program, header: CapsuleHeader): void {
  // A size that the program works out has no name there: the header may call it what it likes.
  const fits = (dim: Dimension, named: number | string | undefined) =>
    dim === null
      ? typeof named === 'string'
      : (typeof dim === 'number' ? dim : program.symbols[dim.symbol]) === named
  const same = (ports: Program['inputs'], specs: readonly TensorSpec[]) =>
    ports.length === specs.length &&
    specs.every((spec) => {
      const port = ports.find((it) => it.name === spec.name)
      const value = port === undefined ? undefined : program.values[port.value]
      return (
        value !== undefined &&
        value.dtype === spec.dtype &&
        value.dims.length === spec.shape.length &&
        value.dims.every((it, axis) => fits(it, spec.shape[axis]))
      )
    })
  if (!same(program.inputs, header.inputs))
    throw unsuitable('inputs', "the program's inputs are not the header's")
  if (!same(program.outputs, header.outputs))
    throw unsuitable('outputs', "the program's outputs are not the header's")
}
