// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

/**
 * Checks that a loaded list has the steps that are asked for.
 * @param totalStepCount steps of the list behind `handle`, undefined where there is none
 * @throws KernelError `KERNEL_HANDLE_INVALID`
 */
export function assertStepRange(
  totalStepCount: number | undefined,
  handle: number,
  firstStep: number,
  stepCount: number,
): void {
  const isValid =
    totalStepCount !== undefined &&
    Number.isInteger(firstStep) &&
    Number.isInteger(stepCount) &&
    firstStep >= 0 &&
    stepCount >= 0 &&
    firstStep + stepCount <= totalStepCount
  if (isValid) return
  throw new KernelError(
    'KERNEL_HANDLE_INVALID',
    `program ${handle} has ${totalStepCount ?? 'no'} steps, asked for ${stepCount} from ${firstStep}`,
    { field: 'stepIndex' },
  )
}
