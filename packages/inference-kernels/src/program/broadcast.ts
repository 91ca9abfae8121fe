// SPDX-License-Identifier: Apache-2.0

/** Dims of two tensors broadcast together, right-aligned; null where they do not fit. */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length)
  const dims: number[] = []
  for (let d = 0; d < rank; d++) {
    const x = a[a.length - rank + d] ?? 1
    const y = b[b.length - rank + d] ?? 1
    if (x !== y && x !== 1 && y !== 1) return null
    dims.push(x === 1 ? y : x)
  }
  return dims
}
