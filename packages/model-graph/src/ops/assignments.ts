// SPDX-License-Identifier: Apache-2.0

/**
 * Ways to give each name one of some numbers: all of them where they are few, else as many as may be had, with the first
 * names the slowest to change.
 */
export function* assignments(
  names: readonly string[],
  numbers: readonly number[],
  limitCount: number,
): Generator<ReadonlyMap<string, number>> {
  const count = Math.min(numbers.length ** names.length, limitCount)
  for (let i = 0; i < count; i++) {
    let rest = i
    const assignment = new Map<string, number>()
    for (const name of [...names].reverse()) {
      assignment.set(name, numbers[rest % numbers.length] as number)
      rest = Math.floor(rest / numbers.length)
    }
    yield assignment
  }
}
