// SPDX-License-Identifier: Apache-2.0

/** Taps `first` to `end` - 1 of a window. */
export interface Taps {
  readonly first: number
  readonly end: number
}

/**
 * Taps k of `tapCount` for which 0 <= origin + k * dilation < size: found by division, so that the cost does not grow
 * with a hostile window.
 */
export function tapsInside(origin: number, dilation: number, tapCount: number, size: number): Taps {
  const first = origin >= 0 ? 0 : Math.ceil(-origin / dilation)
  const end = Math.min(tapCount, origin >= size ? 0 : Math.ceil((size - origin) / dilation))
  return { first: Math.min(first, end), end }
}
