// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRecord } from '../records/record.ts'
import { type Addon, type AddonHandle, defaultAddonPath } from './addon.ts'
import { createNativeKernels, listNativeIsas, nativeKernels } from './index.ts'

const built = existsSync(defaultAddonPath())
const reason = built ? '' : ' (skipped: no native addon, no C compiler here)'
const copyRecord = () => makeRecord('unary', { input: 0, output: 64, count: 4, unary: 0, alpha: 0, beta: 0 })

it('says how to get the addon where there is none', async () => {
  const kernels = createNativeKernels({ addonPath: '/nowhere/mlcapsule-kernels.node' })
  await expect(kernels.create({ memorySizeBytes: 64 })).rejects.toMatchObject({
    code: 'KERNEL_BACKEND_UNAVAILABLE',
    message: expect.stringContaining('npm run kernels:build'),
  })
})

it.each([
  ['memory() { throw new Error() }', 'KERNEL_BACKEND_UNAVAILABLE'],
  ['memory: () => new ArrayBuffer(64), selfTest: () => 3', 'KERNEL_SELF_TEST_FAILED'],
])('releases what it has where the addon says: %s', async (methods, code) => {
  const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-addon-'))
  try {
    const addonPath = join(folder, 'addon.cjs')
    writeFileSync(
      addonPath,
      `module.exports = { listIsas: () => ['scalar'], create: () => ({}), dispose() { this.isReleased = true }, ${methods} }`,
    )
    const kernels = createNativeKernels({ addonPath })
    await expect(kernels.create({ memorySizeBytes: 64 })).rejects.toMatchObject({ code })
    expect(createRequire(import.meta.url)(addonPath)).toMatchObject({ isReleased: true })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe.skipIf(!built)(`native kernels${reason}`, () => {
  it('picks the best instruction set, and always has the scalar one', async () => {
    const isas = listNativeIsas()
    expect(isas).toContain('scalar')
    const kernels = await nativeKernels.create({ memorySizeBytes: 64 })
    expect(kernels.isa).toBe(isas[0])
    kernels.dispose()
  })

  it('refuses an instruction set that this machine has not', async () => {
    const kernels = createNativeKernels({ isa: 'mmx' })
    await expect(kernels.create({ memorySizeBytes: 64 })).rejects.toMatchObject({
      code: 'KERNEL_BACKEND_UNAVAILABLE',
      field: 'isa',
    })
  })

  it('starts with zeroed memory and runs a step', async () => {
    const kernels = await nativeKernels.create({ memorySizeBytes: 100_000 })
    expect(kernels.memory.length).toBe(100_000)
    expect(kernels.memory.every((byte) => byte === 0)).toBe(true)
    new Float32Array(kernels.memory.buffer, 0, 4).set([1, -2, 3, 4])
    kernels.runStep(kernels.load(copyRecord()), 0)
    expect([...new Float32Array(kernels.memory.buffer, 64, 4)]).toEqual([1, -2, 3, 4])
    kernels.dispose()
  })

  it('refuses a record by step and field, and keeps a private copy of good ones', async () => {
    const kernels = await nativeKernels.create({ memorySizeBytes: 128 })
    const records = new Int32Array([...copyRecord(), ...copyRecord()])
    const handle = kernels.load(records)
    records[64 + 3] = 17
    expect(() => kernels.load(records)).toThrow(
      expect.objectContaining({ code: 'KERNEL_RECORD_INVALID', stepIndex: 1, field: 'records[1].output' }),
    )
    records.fill(-1)
    kernels.runSteps(handle, 0, 2)
    expect(() => kernels.load(records.subarray(1))).toThrow(
      expect.objectContaining({ code: 'KERNEL_RECORD_INVALID', field: 'records' }),
    )
    kernels.dispose()
  })

  it.each([
    [0, 2],
    [2, 0],
    [-1, 1],
    [0, -1],
    [1.5, 1],
    [Number.NaN, 1],
    [2 ** 32, 1],
  ])('refuses %s steps from %s', async (stepCount, firstStep) => {
    const kernels = await nativeKernels.create({ memorySizeBytes: 128 })
    const handle = kernels.load(copyRecord())
    expect(() => kernels.runSteps(handle, firstStep, stepCount)).toThrow(
      expect.objectContaining({ code: 'KERNEL_HANDLE_INVALID' }),
    )
    kernels.dispose()
  })

  it('is dead after dispose, and views of its memory are empty', async () => {
    const kernels = await nativeKernels.create({ memorySizeBytes: 128, threadCount: 2 })
    const handle = kernels.load(copyRecord())
    const view = kernels.memory
    kernels.dispose()
    kernels.dispose()
    expect(view.length).toBe(0)
    expect(kernels.memory.length).toBe(0)
    const disposed = expect.objectContaining({ code: 'KERNEL_DISPOSED' })
    expect(() => kernels.load(copyRecord())).toThrow(disposed)
    expect(() => kernels.runStep(handle, 0)).toThrow(disposed)
    expect(() => kernels.selfTest()).toThrow(disposed)
  })

  it('wipes memory that somebody else has taken over', async () => {
    const kernels = await nativeKernels.create({ memorySizeBytes: 128 })
    kernels.memory.fill(7)
    const taken = new Uint8Array((kernels.memory.buffer as ArrayBuffer).transfer())
    expect(taken[0]).toBe(7)
    kernels.dispose()
    expect(taken.every((byte) => byte === 0)).toBe(true)
  })

  it('wipes memory that was taken over before it grew, and leaves it where it is', () => {
    // In a process of its own: reading memory that is gone would end it by a signal.
    const script = `
      const addon = require(${JSON.stringify(defaultAddonPath())})
      const handle = addon.create(128, 65536, 1, 'scalar')
      const { buffer } = new Uint8Array(addon.memory(handle)).fill(7)
      const taken = new Uint8Array(buffer.transfer())
      addon.grow(handle, 256)
      const grown = new Uint8Array(addon.memory(handle))
      const before = [taken[0], grown.length]
      addon.dispose(handle)
      console.log(JSON.stringify([...before, taken[0], grown.length]))`
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '[7,256,0,0]\n' })
  })

  it.each([
    [{ memorySizeBytes: 0 }, 'KERNEL_OPTION_INVALID'],
    [{ memorySizeBytes: 1.5 }, 'KERNEL_OPTION_INVALID'],
    [{ memorySizeBytes: 64, threadCount: 0 }, 'KERNEL_OPTION_INVALID'],
    [{ memorySizeBytes: 64, threadCount: 65 }, 'KERNEL_OPTION_INVALID'],
    [{ memorySizeBytes: 2 ** 32 + 1 }, 'KERNEL_MEMORY_TOO_LARGE'],
  ])('refuses the options %j', async (options, code) => {
    await expect(nativeKernels.create(options)).rejects.toMatchObject({ code })
  })

  it('checks every argument in the addon itself', async () => {
    const addon = createRequire(import.meta.url)(defaultAddonPath()) as Addon
    const loose = addon as unknown as Record<string, (...values: unknown[]) => unknown>
    const handle = addon.create(128, 128, 1, 'scalar') as AddonHandle
    const attached = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(8)]
    const calls: [string, ...unknown[]][] = [
      ['create'],
      ['create', '64', 64, 1, 'scalar'],
      ['create', 64, 63, 1, 'scalar'],
      ['create', 64, 2 ** 33, 1, 'scalar'],
      ['create', 0, 64, 1, 'scalar'],
      ['create', 2 ** 33, 2 ** 33, 1, 'scalar'],
      ['create', 64, 64, 0, 'scalar'],
      ['create', 64, 64, 1, 'a name longer than any instruction set could have'],
      ['create', 64, 64, 1, null],
      ['memory', {}],
      ['memory', 7],
      ['memory', undefined],
      ['load', handle],
      ['load', handle, [1, 2, 3]],
      ['load', handle, new Uint8Array(256)],
      ['load', handle, new Int32Array(63), new Uint32Array(0)],
      ['load', handle, new Int32Array(64), new Int32Array(0)],
      ['load', { ...handle }, new Int32Array(64), new Uint32Array(0)],
      ['attachPages', handle],
      ['attachPages', handle, -1, 0, 64, 1, ...attached],
      ['attachPages', handle, 0, 0, 63, 1, ...attached],
      ['attachPages', handle, 0, 0, 64, 0, ...attached],
      ['attachPages', handle, 0, 0, 64, 2, ...attached],
      ['attachPages', handle, 0, 0, 64, 1, new Uint8Array(31), new Uint8Array(12), new Uint8Array(8)],
      ['detachPages', {}],
      ['fill', handle, new Int32Array(4)],
      ['filled', handle],
      ['run', handle, 'x', 0, 0],
      ['run', handle, 0, -1, 0],
      ['run', handle, 0, 0, Number.POSITIVE_INFINITY],
      ['selfTest', null],
      ['dispose', Object.create(handle as object)],
    ]
    for (const [name, ...values] of calls) {
      expect(() => loose[name]?.(...values), `${name}(${values.map(String)})`).toThrow(
        /argument|records|size/,
      )
    }
    addon.dispose(handle)
    expect(() => addon.memory(handle)).toThrow(/disposed/)
    expect(() => addon.load(handle, new Int32Array(64), new Uint32Array(0))).toThrow(/disposed/)
  })
})
