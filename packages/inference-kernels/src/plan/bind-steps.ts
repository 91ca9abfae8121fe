// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes, type TensorData, viewTensorData } from '@mlcapsule/contracts'
import { OperatorFault } from '../operators/fault.ts'
import type { Operator, ResultType } from '../operators/operator.ts'
import { operatorOf } from '../operators/registry.ts'
import { assertElementCount, exitValues, sizeOf } from '../program/bind-dims.ts'
import { assertStepGeometry, inferDims, type KernelStep } from '../program/geometry.ts'
import { failProgram } from '../program/program-error.ts'
import { stepInputs } from '../program/step-schema.ts'
import type { Program, ProgramStep, ProgramValue } from '../program/types.ts'
import type { BindingState, Frame } from './binding-state.ts'

/** Results of up to this many elements are computed while binding, where all that goes into them is known. */
const knownElementCount = 4096

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

/** What a bound step turns into, before anything has an address. */
export type BoundStep =
  | { readonly kind: 'kernel'; readonly step: KernelStep; readonly stepIndex: number }
  | {
      readonly kind: 'operator'
      readonly step: StepOf<'operator'>
      readonly operator: Operator
      /** Elements of the inputs that are known; null for those in memory, and for those that are not given. */
      readonly known: readonly (TensorData | null)[]
      readonly stepIndex: number
    }
  /** Known elements that a kernel or the outside reads from memory. */
  | { readonly kind: 'store'; readonly root: number; readonly data: TensorData }

/** All that stays the same while a binding goes on. */
export interface BindingContext {
  readonly program: Program
  readonly roots: Int32Array
  readonly lastReads: Int32Array
  /** Sizes behind the symbols. */
  readonly symbolSizes: readonly (number | undefined)[]
  /** Elements of a constant; null where they are too many to be looked at, or not at hand. */
  weightsContents(root: number): TensorData | null
}

const product = (dims: readonly number[]) => dims.reduce((count, dim) => count * dim, 1)

/** Walks the steps, works out dims, decides what shares which bytes, and stops where elements have to be read first. */
export class StepBinder {
  readonly bound: BoundStep[] = []
  readonly #context: BindingContext
  readonly #state: BindingState
  /** Elements that were read for the step at which binding stopped, by root. */
  readonly #given: ReadonlyMap<number, TensorData>

  constructor(context: BindingContext, state: BindingState, given: ReadonlyMap<number, TensorData>) {
    this.#context = context
    this.#state = state
    this.#given = given
  }

  /** The value whose bytes a value has in this binding. */
  rootOf(value: number): number {
    const { roots } = this.#context
    let root = roots[value] as number
    for (
      let next = this.#state.shared[root] as number;
      next !== -1;
      next = this.#state.shared[root] as number
    ) {
      root = roots[next] as number
    }
    return root
  }

  dimsOf(value: number): readonly number[] {
    const known = this.#state.dims[value]
    if (known !== undefined) return known
    const field = `values[${value}]`
    const dims = this.#declare(value, null, field)
    const storage = this.#context.program.values[value]?.storage
    if (storage?.kind === 'alias') {
      // The end of the chain, not the next in it: a chain may be longer than the stack is deep.
      const root = this.#context.roots[value] as number
      const [own, other] = [product(dims), product(this.dimsOf(root))]
      if (own !== other) failProgram(`${field}.storage.of`, `${own} elements alias ${other}`)
    }
    return dims
  }

  /** A value that a query begins with. */
  addEntry(value: number, dims: readonly number[]): void {
    this.#declare(value, dims, `values[${value}]`)
    this.#addBlock(value, -1)
  }

  /** @returns the values that have to be read before binding can go on; null at the end of the program */
  run(): readonly number[] | null {
    const { program } = this.#context
    const { frames } = this.#state
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      if (frame.next === frame.end) {
        frames.pop()
        this.#leave(frame)
        continue
      }
      const missing = this.#step(frame, frame.next)
      if (missing.length > 0) return missing
    }
    for (const value of exitValues(program)) this.#store(value, program.steps.length)
    return null
  }

  #step(frame: Frame, s: number): readonly number[] {
    const step = this.#context.program.steps[s] as ProgramStep
    if (step.op === 'if') return this.#enter(frame, step, s)
    if (step.op !== 'operator') this.#kernel(step, s)
    else {
      const operator = operatorOf(step.operator) as Operator
      const wanted = operator.contents.map((i) => step.inputs[i] ?? null).filter((value) => value !== null)
      const missing = wanted.filter((value) => this.#contentsOf(value) === null)
      if (missing.length > 0) return missing
      this.#operator(step, operator, s)
    }
    frame.next = s + 1
    return []
  }

  #enter(frame: Frame, step: StepOf<'if'>, s: number): readonly number[] {
    const condition = this.#contentsOf(step.condition)
    if (condition === null) return [step.condition]
    if (condition.length !== 1) {
      failProgram(`steps[${s}].condition`, `expected one element, got ${condition.length}`)
    }
    const elseStart = s + 1 + step.thenStepCount
    const end = elseStart + step.elseStepCount
    frame.next = end
    this.#state.frames.push(
      Number(condition[0]) !== 0
        ? { next: s + 1, end: elseStart, branch: { step, outputs: step.thenOutputs } }
        : { next: elseStart, end, branch: { step, outputs: step.elseOutputs } },
    )
    return []
  }

  #leave({ branch }: Frame): void {
    if (branch === null) return
    for (const [i, output] of branch.step.outputs.entries()) {
      const source = branch.outputs[i] as number
      this.#declare(output, this.dimsOf(source), `values[${output}]`)
      this.#state.shared[output] = source
    }
  }

  /** Settles the dims of a value: those that are worked out, held against those that are declared. */
  #declare(value: number, worked: readonly number[] | null, field: string): readonly number[] {
    const { program, symbolSizes } = this.#context
    const declared = (program.values[value] as ProgramValue).dims.map((dim) => sizeOf(dim, symbolSizes))
    const dims =
      worked ??
      declared.map((dim, d) => dim ?? failProgram(`${field}.dims[${d}]`, 'its size cannot be worked out'))
    const isFit =
      dims.length === declared.length && dims.every((dim, d) => declared[d] === null || declared[d] === dim)
    if (!isFit) {
      const expected = declared.map((dim) => dim ?? '?').join(', ')
      failProgram(field, `expected dims [${expected}], got [${dims.join(', ')}]`)
    }
    assertElementCount(dims, field)
    this.#state.dims[value] = dims
    return dims
  }

  #contentsOf(value: number): TensorData | null {
    const root = this.rootOf(value)
    const known = this.#state.contents.get(root) ?? this.#given.get(root)
    if (known !== undefined) return known
    const isConstant = this.#context.program.values[root]?.storage.kind === 'weights'
    return isConstant ? this.#context.weightsContents(root) : null
  }

  /** Makes sure that a value with known elements is in memory from step `s` on. */
  #store(value: number, s: number): void {
    const root = this.rootOf(value)
    const data = this.#state.contents.get(root)
    if (data === undefined || (this.#state.blockOf[root] as number) >= 0) return
    this.#addBlock(root, s)
    this.bound.push({ kind: 'store', root, data })
  }

  #addBlock(root: number, firstStep: number): void {
    const { dtype } = this.#context.program.values[root] as ProgramValue
    const sizeBytes = product(this.dimsOf(root)) * elementSizeBytes(dtype)
    const lastStep = Math.max(firstStep, this.#context.lastReads[root] as number)
    this.#state.blockOf[root] =
      this.#state.blocks.push({ sizeBytes, firstStep, lastStep, offsetBytes: -1 }) - 1
  }

  #kernel(step: KernelStep, s: number): void {
    const { program, lastReads } = this.#context
    const dims = (value: number) => this.dimsOf(value)
    for (const [, value] of stepInputs(step)) this.#store(value, s)
    // Where a step leaves a choice the dims are declared: only what is not is worked out.
    const isOpen = (program.values[step.output] as ProgramValue).dims.includes(null)
    this.#declare(step.output, isOpen ? inferDims(step, dims) : null, `steps[${s}].output`)
    assertStepGeometry(program, step, s, dims)
    const shared = this.#reusableRoot(step, s)
    if (shared === undefined) this.#addBlock(step.output, s)
    else {
      const block = this.#state.blockOf[shared] as number
      this.#state.blockOf[step.output] = block
      const it = this.#state.blocks[block] as { lastStep: number }
      it.lastStep = Math.max(it.lastStep, lastReads[step.output] as number)
    }
    if (product(dims(step.output)) === 0) return
    // What joins operands may find nothing in some of them, such as a cache that is still empty.
    if (step.op !== 'concat' && stepInputs(step).some(([, value]) => product(dims(value)) === 0)) {
      failProgram(`steps[${s}]`, 'an operand is empty')
    }
    this.bound.push({ kind: 'kernel', step, stepIndex: s })
  }

  /** The root whose piece the output may take over: of an operand that is read here for the last time. */
  #reusableRoot(step: KernelStep, s: number): number | undefined {
    const fields = inPlaceFields(step)
    const operands = stepInputs(step).map(([field, value]) => ({ field, value, root: this.rootOf(value) }))
    const isReusable = (root: number) => {
      const block = this.#state.blocks[this.#state.blockOf[root] as number]
      if (block === undefined || block.lastStep > s) return false
      // Every operand in that piece must be read element by element, in the order in which the output is written.
      return operands.every(
        (it) =>
          this.#state.blockOf[it.root] !== this.#state.blockOf[root] ||
          (fields.includes(it.field) && this.#isSameShape(it.value, step.output)),
      )
    }
    return operands.find((it) => fields.includes(it.field) && isReusable(it.root))?.root
  }

  #isSameShape(a: number, b: number): boolean {
    const [x, y] = [this.dimsOf(a), this.dimsOf(b)]
    const { values } = this.#context.program
    return (
      values[a]?.layout === values[b]?.layout && x.length === y.length && x.every((dim, d) => dim === y[d])
    )
  }

  #operator(step: StepOf<'operator'>, operator: Operator, s: number): void {
    const { program } = this.#context
    const known = step.inputs.map((value) => (value === null ? null : this.#contentsOf(value)))
    const inputs = step.inputs.map((value, i) =>
      value === null
        ? null
        : {
            dtype: (program.values[value] as ProgramValue).dtype,
            dims: this.dimsOf(value),
            data: known[i] ?? null,
          },
    )
    const outputCount = step.outputs.length
    const attributes = step.attributes as never
    const types = guarded(s, () => operator.infer({ inputs, attributes, outputCount }))
    for (const [i, value] of step.outputs.entries())
      this.#settle(value, types[i], `steps[${s}].outputs[${i}]`)
    if (operator.isAlias) {
      this.#state.shared[step.outputs[0] as number] = step.inputs[0] as number
      return
    }
    const isKnown = operator.isTypesOnly || inputs.every((it) => it === null || it.data !== null)
    if (isKnown && step.outputs.every((value) => product(this.dimsOf(value)) <= knownElementCount)) {
      const outputs = step.outputs.map((value) => this.#newOperand(value))
      guarded(s, () => operator.run({ inputs: inputs as never, attributes, outputs }))
      for (const [i, { data }] of outputs.entries()) this.#state.contents.set(step.outputs[i] as number, data)
      return
    }
    for (const value of step.outputs) this.#addBlock(value, s)
    this.bound.push({ kind: 'operator', step, operator, known, stepIndex: s })
  }

  #settle(value: number, type: ResultType | undefined, field: string): void {
    const { dtype } = this.#context.program.values[value] as ProgramValue
    if (type === undefined) failProgram(field, 'the operator has no such output')
    if (type.dtype !== dtype) failProgram(field, `expected dtype ${dtype}, got ${type.dtype}`)
    const isSize = (dim: number | null): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0
    const dims = type.dims.map((dim) =>
      isSize(dim) ? dim : failProgram(field, 'its size cannot be worked out'),
    )
    this.#declare(value, dims, field)
  }

  #newOperand(value: number) {
    const { dtype } = this.#context.program.values[value] as ProgramValue
    const dims = this.dimsOf(value)
    const count = product(dims)
    const data = viewTensorData(dtype, new ArrayBuffer(count * elementSizeBytes(dtype)), 0, count)
    return { dtype, dims, data }
  }
}

/** Fields whose operand the step's kernel may overwrite with its output. */
function inPlaceFields(step: KernelStep): readonly string[] {
  switch (step.op) {
    case 'unary':
    case 'softmax':
      return ['input']
    case 'binary':
    case 'quantizedAdd':
      return ['a', 'b']
    case 'conv2d':
    case 'quantizedConv2d':
    case 'dense':
      return ['residual']
    default:
      return []
  }
}

/** Turns an operator's fault into an error that names the step. */
export function guarded<T>(stepIndex: number, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error
    const code = error.kind === 'value' ? 'KERNEL_VALUE_INVALID' : 'PROGRAM_INVALID'
    return failProgram(`steps[${stepIndex}]`, error.message, code)
  }
}
