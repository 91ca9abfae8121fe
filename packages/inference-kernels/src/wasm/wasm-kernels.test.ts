// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from 'vitest'
import { makeRecord, writeRecord } from '../records/record.ts'
import { floatWeights } from '../records/weights.ts'
import { createWasmKernels, type WasmKernelsOptions, wasmKernels } from './index.ts'
import { bestModuleBytes, bundledModuleBytes } from './wasm-module.ts'

/** MLC_SCRATCH_FLOAT_COUNT and MLC_SHARED_SCRATCH_FLOAT_COUNT of c/src/mlc.h. */
const scratchSizeBytes = 4 * (416 + 884) * 1024
const addOne = { unary: 0, alpha: 0, beta: 0 }
const copyRecord = () => makeRecord('unary', { input: 0, output: 64, count: 4, ...addOne })

describe('wasm kernels', () => {
  it('take the module with relaxed SIMD where the engine has it, and the other one where not', async () => {
    const isaOf = async (options?: WasmKernelsOptions) =>
      (await createWasmKernels(options).create({ memorySizeBytes: 64 })).isa
    expect(await isaOf({ moduleBytes: bundledModuleBytes('simd128') })).toBe('wasm-simd128')
    expect(WebAssembly.validate(bundledModuleBytes('relaxed-simd'))).toBe(true)
    expect(await isaOf()).toBe('wasm-relaxed-simd')
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(bestModuleBytes()).toEqual(bundledModuleBytes('simd128'))
    validate.mockRestore()
  })

  it('starts with zeroed memory of the size asked for, and runs a step', async () => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 100_000 })
    expect(kernels.isa).toMatch(/^wasm-(relaxed-)?simd/)
    expect(kernels.memory.length).toBe(100_000)
    expect(kernels.memory.every((byte) => byte === 0)).toBe(true)
    expect(kernels.memory.byteOffset % 64).toBe(0)
    new Float32Array(kernels.memory.buffer, kernels.memory.byteOffset, 4).set([1, -2, 3, 4])
    kernels.runStep(kernels.load(copyRecord()), 0)
    const output = new Float32Array(kernels.memory.buffer, kernels.memory.byteOffset + 64, 4)
    expect([...output]).toEqual([1, -2, 3, 4])
    kernels.dispose()
  })

  it('keeps a private copy of the records', async () => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 128 })
    const records = copyRecord()
    const handle = kernels.load(records)
    writeRecord(records, 0, 'unary', { input: 0, output: 2 ** 31, count: 1000, ...addOne })
    kernels.memory.set([0, 0, 128, 63])
    kernels.runStep(handle, 0)
    expect([...kernels.memory.subarray(64, 68)]).toEqual([0, 0, 128, 63])
    kernels.dispose()
  })

  it.each([
    ['an address outside the memory', 2, { output: 128 }, 'records[1].output'],
    ['a negative count', 3, { count: -1 }, 'records[1].count'],
    ['an unknown function', 4, { unary: 99 }, 'records[1].unary'],
  ])('refuses %s, naming record and field', async (_, __, change, field) => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 128 })
    const records = new Int32Array(128)
    writeRecord(records, 0, 'unary', { input: 0, output: 64, count: 4, ...addOne })
    writeRecord(records, 64, 'unary', { input: 0, output: 64, count: 4, ...addOne, ...change })
    expect(() => kernels.load(records)).toThrow(
      expect.objectContaining({ code: 'KERNEL_RECORD_INVALID', stepIndex: 1, field }),
    )
    kernels.dispose()
  })

  it('refuses steps and programs that do not exist', async () => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 128 })
    const handle = kernels.load(copyRecord())
    const invalid = expect.objectContaining({ code: 'KERNEL_HANDLE_INVALID' })
    expect(() => kernels.runStep(handle, 1)).toThrow(invalid)
    expect(() => kernels.runStep(handle, -1)).toThrow(invalid)
    expect(() => kernels.runStep(handle, Number.NaN)).toThrow(invalid)
    expect(() => kernels.runSteps(handle, 0, 2)).toThrow(invalid)
    expect(() => kernels.runStep((handle + 1) as typeof handle, 0)).toThrow(invalid)
    kernels.dispose()
  })

  it('leaves nothing of a query in the scratch, which lies in front of the memory', async () => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 512 })
    const { buffer, byteOffset } = kernels.memory
    const scratch = new Uint8Array(buffer, byteOffset - scratchSizeBytes, scratchSizeBytes)
    new Float32Array(buffer, byteOffset, 128).fill(3)
    const none = { bias: 0, residual: 0, flags: 0, activation: 0, activationAlpha: 0, activationBeta: 0 }
    const sizes = { rowCount: 1, innerCount: 4, columnCount: 10, outputGap: 0 }
    kernels.runStep(
      kernels.load(
        makeRecord('dense', { input: 0, weights: 64, output: 320, ...sizes, ...none, ...floatWeights }),
      ),
      0,
    )
    expect(new Float32Array(buffer, byteOffset + 320, 11)).toEqual(
      Float32Array.of(...new Array<number>(10).fill(36), 3),
    )
    expect(scratch.some((byte) => byte !== 0)).toBe(true)
    kernels.dispose()
    expect(scratch.every((byte) => byte === 0)).toBe(true)
  })

  it('is dead and wiped after dispose', async () => {
    const kernels = await wasmKernels.create({ memorySizeBytes: 128 })
    const handle = kernels.load(copyRecord())
    const view = kernels.memory
    view.fill(7)
    kernels.dispose()
    kernels.dispose()
    expect(view.every((byte) => byte === 0)).toBe(true)
    expect(kernels.memory.length).toBe(0)
    const disposed = expect.objectContaining({ code: 'KERNEL_DISPOSED' })
    expect(() => kernels.load(copyRecord())).toThrow(disposed)
    expect(() => kernels.runStep(handle, 0)).toThrow(disposed)
    expect(() => kernels.selfTest()).toThrow(disposed)
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses a memory of %s bytes', async (memorySizeBytes) => {
    await expect(wasmKernels.create({ memorySizeBytes })).rejects.toMatchObject({
      code: 'KERNEL_OPTION_INVALID',
      field: 'memorySizeBytes',
    })
  })

  it('refuses a memory beyond 4 GiB', async () => {
    await expect(wasmKernels.create({ memorySizeBytes: 2 ** 32 })).rejects.toMatchObject({
      code: 'KERNEL_MEMORY_TOO_LARGE',
    })
  })

  it('compiles again after it has failed to', async () => {
    const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValueOnce(new RangeError('no memory'))
    try {
      const kernels = createWasmKernels()
      const failed = { code: 'KERNEL_BACKEND_UNAVAILABLE' }
      await expect(kernels.create({ memorySizeBytes: 64 })).rejects.toMatchObject(failed)
      expect((await kernels.create({ memorySizeBytes: 64 })).memory.length).toBe(64)
      await kernels.create({ memorySizeBytes: 64 })
      expect(compile).toHaveBeenCalledTimes(2)
    } finally {
      compile.mockRestore()
    }
  })

  it('refuses bytes that are not the module', async () => {
    const unavailable = { code: 'KERNEL_BACKEND_UNAVAILABLE' }
    const notWasm = createWasmKernels({ moduleBytes: new Uint8Array([1, 2, 3]) })
    await expect(notWasm.create({ memorySizeBytes: 64 })).rejects.toMatchObject(unavailable)
    const emptyModule = createWasmKernels({ moduleBytes: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) })
    await expect(emptyModule.create({ memorySizeBytes: 64 })).rejects.toMatchObject(unavailable)
  })
})
