// SPDX-License-Identifier: Apache-2.0
import { KernelError, type KernelErrorCode } from '../errors.ts'

/** Refuses a program. @param field path of what is wrong, e.g. `steps[3].strides` */
export function failProgram(field: string, detail: string, code: KernelErrorCode = 'PROGRAM_INVALID'): never {
  const stepIndex = /^steps\[(\d+)\]/.exec(field)?.[1]
  throw new KernelError(code, `${field}: ${detail}`, {
    field,
    ...(stepIndex === undefined ? {} : { stepIndex: Number(stepIndex) }),
  })
}

/** Refuses an integer outside `min`..`max`, both included. */
export function assertInteger(
  value: unknown,
  min: number,
  max: number,
  field: string,
  code: KernelErrorCode = 'PROGRAM_INVALID',
): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    failProgram(field, `expected an integer from ${min} to ${max}, got ${String(value)}`, code)
  }
}

/** Whether it may be sizes that are at fault, which another query may have otherwise. */
export function isOfSizes(error: unknown): boolean {
  return (
    error instanceof KernelError &&
    (error.code === 'PROGRAM_INVALID' || error.code === 'KERNEL_VALUE_INVALID')
  )
}
