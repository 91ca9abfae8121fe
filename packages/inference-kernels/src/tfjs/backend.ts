// SPDX-License-Identifier: Apache-2.0
import {
  type BackendTimingInfo,
  type BackendValues,
  backend_util,
  type DataId,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core'
import type { Block } from './block-heap.ts'
import { References } from './references.ts'
import type { NumberArray, NumberDType, TensorMemory } from './tensor-memory.ts'

/** What a data id of tfjs stands for. Several tensors of different shapes may share one. */
type Stored = { refCount: number } & (
  | {
      readonly kind: 'numbers'
      readonly dtype: NumberDType
      readonly count: number
      readonly block: Block
      /** The same numbers in the layouts of weights that products have asked for. */
      readonly packed: Map<string, Block>
    }
  | { readonly kind: 'strings'; readonly values: Uint8Array[] }
  | { readonly kind: 'complex'; readonly real: TensorInfo; readonly imag: TensorInfo }
)
type StoredNumbers = Extract<Stored, { readonly kind: 'numbers' }>

/**
 * Tensors of tfjs in the memory of our kernels: float32, int32 and bool there, strings in the JavaScript heap, complex64 as
 * a pair of float32. Memory that tensors leave is not wiped: tfjs programs hold no weights of a capsule.
 */
export class MlcapsuleBackend extends KernelBackend {
  readonly memoryOfTensors: TensorMemory
  readonly #data: DataStorage<Stored>
  readonly #references = new References()

  constructor(memory: TensorMemory) {
    super()
    this.memoryOfTensors = memory
    this.#data = new DataStorage(this, engine())
  }

  /** A new tensor. Its numbers are garbage; views taken before may be stale. */
  make(shape: readonly number[], dtype: DataType): TensorInfo {
    // tfjs-core works out sizes below 0 where a window is larger than its image.
    if (!shape.every((dim) => dim >= 0)) throw new RangeError(`a tensor cannot have the shape ${shape}`)
    const dataId: DataId = {}
    const count = util.sizeFromShape([...shape])
    this.#data.set(dataId, this.#newStored(dtype, shape, count))
    this.#references.note(dataId, 1)
    return { dataId, shape: [...shape], dtype }
  }

  /** A complex64 tensor over two float32 ones, which it takes over. */
  makeComplex(real: TensorInfo, imag: TensorInfo): TensorInfo {
    const dataId: DataId = {}
    this.#data.set(dataId, { kind: 'complex', real, imag, refCount: 1 })
    this.#references.note(dataId, 1)
    // They go with the whole.
    this.#references.note(real.dataId, -1)
    this.#references.note(imag.dataId, -1)
    return { dataId, shape: real.shape, dtype: 'complex64' }
  }

  /** A new tensor of these values. */
  makeOf(shape: readonly number[], dtype: NumberDType, values: ArrayLike<number>): TensorInfo {
    const made = this.make(shape, dtype)
    this.numbers(made).set(values)
    return made
  }

  /** The same data under another shape: one more reference. */
  share({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(dataId)
    this.#references.note(dataId, 1)
    return { dataId, shape: [...shape], dtype }
  }

  /** Gives up tensors that a kernel made on its way. */
  release(...tensors: readonly TensorInfo[]): void {
    for (const { dataId } of tensors) {
      this.#references.note(dataId, -1)
      this.disposeData(dataId)
    }
  }

  /**
   * Runs a kernel. One that throws leaves nothing of what it has made.
   * @param inputs those that another backend holds are fetched first: later, the memory could grow under the kernel's views
   */
  runKernel<T>(inputs: readonly TensorInfo[], run: () => T): T {
    for (const { dataId } of inputs) this.#data.get(dataId)
    return this.#references.during(run, (dataId) => this.disposeData(dataId))
  }

  /** Elements of a tensor, until the next tensor is made. */
  numbers({ dataId }: TensorInfo): NumberArray {
    const { block, dtype, count } = this.#numbersOf(dataId)
    return this.memoryOfTensors.view(block, dtype, count)
  }

  /** Where the elements of a tensor lie. */
  addressBytes({ dataId }: TensorInfo): number {
    return this.#numbersOf(dataId).block.addressBytes
  }

  /** Where the elements of a float32 tensor lie. Records of arithmetic read nothing else. */
  floatAddressBytes(tensor: TensorInfo): number {
    const { block, dtype } = this.#numbersOf(tensor.dataId)
    if (dtype !== 'float32') throw new TypeError(`this kernel computes with float32, not with ${dtype}`)
    return block.addressBytes
  }

  strings({ dataId }: TensorInfo): Uint8Array[] {
    const stored = this.#data.get(dataId)
    if (stored.kind !== 'strings') throw new TypeError('this tensor does not hold strings')
    return stored.values
  }

  /** Real and imaginary part, in the tensor's shape; they live as long as the tensor. */
  parts({ dataId, shape }: TensorInfo): readonly [real: TensorInfo, imag: TensorInfo] {
    const stored = this.#data.get(dataId)
    if (stored.kind !== 'complex') throw new TypeError('this tensor is not complex')
    return [
      { ...stored.real, shape },
      { ...stored.imag, shape },
    ]
  }

  /**
   * Address of a float32 tensor in another layout, made once and kept with the tensor: filters do not change.
   * @param write fills `count` numbers from those of the tensor
   */
  packedAddressBytes(
    { dataId }: TensorInfo,
    layout: string,
    count: number,
    write: (from: Float32Array, to: Float32Array) => void,
  ): number {
    const stored = this.#numbersOf(dataId)
    const known = stored.packed.get(layout)
    if (known !== undefined) return known.addressBytes
    const memory = this.memoryOfTensors
    const block = memory.allocate('float32', count)
    write(
      memory.view(stored.block, 'float32', stored.count) as Float32Array,
      memory.view(block, 'float32', count) as Float32Array,
    )
    stored.packed.set(layout, block)
    return block.addressBytes
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId: DataId = {}
    this.move(dataId, values, shape, dtype, 1)
    return dataId
  }

  override move(
    dataId: DataId,
    values: BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    const stored = this.#newStored(dtype, shape, util.sizeFromShape(shape))
    stored.refCount = refCount
    this.#data.set(dataId, stored)
    if (values === null) return
    if (stored.kind === 'strings') {
      // Elements that a buffer was never given are holes, and have to stay so.
      ;(values as unknown as (string | Uint8Array)[]).forEach((it, i) => {
        stored.values[i] = typeof it === 'string' ? util.encodeString(it) : it
      })
    } else if (stored.kind === 'complex') {
      const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array)
      this.numbers(stored.real).set(real)
      this.numbers(stored.imag).set(imag)
    } else {
      this.memoryOfTensors.view(stored.block, stored.dtype, stored.count).set(values as Float32Array)
    }
  }

  override readSync(dataId: DataId): BackendValues {
    const stored = this.#data.get(dataId)
    if (stored.kind === 'strings') return stored.values
    if (stored.kind === 'complex') {
      return backend_util.mergeRealAndImagArrays(
        this.readSync(stored.real.dataId) as Float32Array,
        this.readSync(stored.imag.dataId) as Float32Array,
      )
    }
    return this.memoryOfTensors.view(stored.block, stored.dtype, stored.count).slice()
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId)
  }

  override refCount(dataId: DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0
  }

  override incRef(dataId: DataId): void {
    this.#data.get(dataId).refCount++
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true
    const stored = this.#data.get(dataId)
    stored.refCount--
    if (!force && stored.refCount > 0) return false
    this.#data.delete(dataId)
    if (stored.kind === 'complex') this.release(stored.real, stored.imag)
    if (stored.kind === 'numbers') {
      for (const block of [stored.block, ...stored.packed.values()]) this.memoryOfTensors.free(block)
    }
    return true
  }

  override numDataIds(): number {
    return this.#data.numDataIds()
  }

  /** `numBytesInKernels`: what tensors and packed filters take of the kernels' memory. */
  override memory(): { readonly unreliable: boolean; readonly numBytesInKernels: number } {
    return { unreliable: false, numBytesInKernels: this.memoryOfTensors.usedSizeBytes }
  }

  override async time(run: () => void): Promise<BackendTimingInfo> {
    const start = util.now()
    run()
    return { kernelMs: util.now() - start }
  }

  override timerAvailable(): boolean {
    return true
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override dispose(): void {
    this.memoryOfTensors.dispose()
  }

  #numbersOf(dataId: DataId): StoredNumbers {
    const stored = this.#data.get(dataId)
    if (stored.kind !== 'numbers') throw new TypeError('this tensor does not hold real numbers')
    return stored
  }

  #makePart(shape: readonly number[], count: number): TensorInfo {
    const dataId: DataId = {}
    this.#data.set(dataId, this.#newStored('float32', shape, count))
    return { dataId, shape: [...shape], dtype: 'float32' }
  }

  #newStored(dtype: DataType, shape: readonly number[], count: number): Stored {
    switch (dtype) {
      case 'string':
        return { kind: 'strings', values: new Array<Uint8Array>(count), refCount: 1 }
      case 'complex64':
        return {
          kind: 'complex',
          real: this.#makePart(shape, count),
          imag: this.#makePart(shape, count),
          refCount: 1,
        }
      case 'float32':
      case 'int32':
      case 'bool': {
        const block = this.memoryOfTensors.allocate(dtype, count)
        return { kind: 'numbers', dtype, count, block, packed: new Map(), refCount: 1 }
      }
    }
  }
}
