// SPDX-License-Identifier: Apache-2.0

/**
 * Index of the dimension that holds a classifier's classes: the last one, not counting trailing dimensions of size 1
 * beyond the second. [1, 1000] and [1, 1000, 1, 1] both give 1; a single score per row, [8, 1], gives 1 as well.
 * @returns -1 for a scalar
 */
export function classDimension(shape: readonly (number | string)[]): number {
  let last = shape.length - 1
  while (last > 1 && shape[last] === 1) last--
  return last
}
