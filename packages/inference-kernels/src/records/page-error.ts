// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

/** @param page its number, where it is known */
export function pageError(page?: number, cause?: unknown): KernelError {
  const which = page === undefined ? 'a page' : `page ${page}`
  return new KernelError('KERNEL_PAGE_INVALID', `${which} of the weights is not the authentic one`, {
    field: 'pages',
    cause,
  })
}
