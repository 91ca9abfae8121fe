// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, ProgramHandle } from '@mlcapsule/contracts'
import { KernelError, type KernelErrorCode } from '../errors.ts'
import { makeRecord } from '../records/record.ts'

function must(isTrue: boolean, detail: string): void {
  if (!isTrue) throw new KernelError('KERNEL_SELF_TEST_FAILED', detail)
}

function mustThrow(code: KernelErrorCode, what: string, act: () => unknown): void {
  let thrown: unknown
  try {
    act()
  } catch (error) {
    thrown = error
  }
  must(
    thrown instanceof KernelError && thrown.code === code,
    `${what}: expected ${code}, got ${String(thrown)}`,
  )
}

const fillWith = (bits: number) => makeRecord('fill', { output: 0, elementSizeBytes: 4, count: 1, bits })
const nowhere = (handle: number) => handle as ProgramHandle

const fillAt = (output: number) => makeRecord('fill', { output, elementSizeBytes: 4, count: 1, bits: 5 })

/** Memory that grows, programs that are forgotten. */
async function assertGrowth(backend: KernelBackend): Promise<void> {
  const kernels = await backend.create({ memorySizeBytes: 1000, maxMemorySizeBytes: 1_000_000 })
  kernels.memory.fill(3)
  const early = kernels.load(fillAt(0))
  mustThrow('KERNEL_RECORD_INVALID', 'a record beyond the memory', () => kernels.load(fillAt(200_000)))
  kernels.grow(300_000)
  must(kernels.memory.length === 300_000, `after growing there are ${kernels.memory.length} bytes`)
  must(
    kernels.memory.every((byte, i) => byte === (i < 1000 ? 3 : 0)),
    'growing did not keep what was there, or did not begin with zeros',
  )
  kernels.runStep(early, 0)
  must(kernels.memory[0] === 5, 'a program of before does not run after growing')
  const late = kernels.load(fillAt(200_000))
  kernels.runStep(late, 0)
  must(kernels.memory[200_000] === 5, 'a program does not reach what was grown')
  mustThrow('KERNEL_OPTION_INVALID', 'shrinking', () => kernels.grow(1000))
  mustThrow('KERNEL_MEMORY_TOO_LARGE', 'growing beyond the maximum', () => kernels.grow(1_000_001))
  must(kernels.memory.length === 300_000, 'a refused growth changed the memory')

  kernels.unload(early)
  mustThrow('KERNEL_HANDLE_INVALID', 'a program that was unloaded', () => kernels.runStep(early, 0))
  mustThrow('KERNEL_HANDLE_INVALID', 'unloading twice', () => kernels.unload(early))
  kernels.runStep(late, 0)
  for (let i = 0; i < 3000; i++) kernels.unload(kernels.load(fillAt(0)))
  kernels.dispose()
  must(kernels.memory.length === 0, 'the memory can still be reached after growing and dispose()')
}

/** What every backend promises apart from arithmetic. @throws KernelError `KERNEL_SELF_TEST_FAILED` */
export async function assertLifecycle(backend: KernelBackend): Promise<void> {
  must(backend.kind === 'kernel-backend' && backend.version >= 1, 'the plugin does not say what it is')
  for (const memorySizeBytes of [0, -1, 1.5, Number.NaN]) {
    const refused = await backend.create({ memorySizeBytes }).then(
      () => undefined,
      (error: unknown) => error,
    )
    const isRefused = refused instanceof KernelError && refused.code === 'KERNEL_OPTION_INVALID'
    must(isRefused, `a memory of ${memorySizeBytes} bytes was not refused`)
  }

  const kernels = await backend.create({ memorySizeBytes: 1000 })
  const { memory } = kernels
  must(memory.length === 1000, `the memory has ${memory.length} bytes, expected 1000`)
  must(
    memory.every((byte) => byte === 0),
    'the memory does not start with zeros',
  )
  kernels.selfTest()
  must(
    memory.every((byte) => byte === 0),
    'the self-test wrote into the memory',
  )

  const records = new Int32Array([...fillWith(7), ...fillWith(8)])
  const first = kernels.load(records)
  records.fill(0)
  const second = kernels.load(fillWith(9))
  kernels.runStep(first, 0)
  must(memory[0] === 7, 'the first step of two did not run, or the list was not copied')
  kernels.runSteps(first, 0, 2)
  must(memory[0] === 8, 'runSteps did not end with the last step')
  kernels.runSteps(first, 2, 0)
  kernels.runStep(second, 0)
  must(memory[0] === 9, 'the second program did not run')
  kernels.load(new Int32Array(0))

  mustThrow('KERNEL_HANDLE_INVALID', 'a step past the end', () => kernels.runStep(first, 2))
  mustThrow('KERNEL_HANDLE_INVALID', 'a negative step', () => kernels.runStep(first, -1))
  mustThrow('KERNEL_HANDLE_INVALID', 'too many steps', () => kernels.runSteps(first, 1, 2))
  mustThrow('KERNEL_HANDLE_INVALID', 'an unknown program', () => kernels.runStep(nowhere(99), 0))
  mustThrow('KERNEL_HANDLE_INVALID', 'a negative program', () => kernels.runStep(nowhere(-1), 0))
  mustThrow('KERNEL_RECORD_INVALID', 'half a record', () => kernels.load(new Int32Array(32)))

  kernels.dispose()
  kernels.dispose()
  must(kernels.memory.length === 0, 'the memory can still be reached after dispose()')
  mustThrow('KERNEL_DISPOSED', 'load after dispose', () => kernels.load(fillWith(1)))
  mustThrow('KERNEL_DISPOSED', 'runStep after dispose', () => kernels.runStep(first, 0))
  mustThrow('KERNEL_DISPOSED', 'selfTest after dispose', () => kernels.selfTest())
  mustThrow('KERNEL_DISPOSED', 'grow after dispose', () => kernels.grow(2000))
  mustThrow('KERNEL_DISPOSED', 'unload after dispose', () => kernels.unload(first))
  await assertGrowth(backend)
}
