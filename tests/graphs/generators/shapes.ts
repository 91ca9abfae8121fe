// SPDX-License-Identifier: Apache-2.0

/** What shapes broadcast to, by ONNX's rule; they go together. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((it) => it.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1)
    return sizes.includes(0) ? 0 : Math.max(...sizes)
  })
}

/** Whether shapes go together. */
export function canBroadcast(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.min(a.length, b.length)
  for (let i = 1; i <= rank; i++) {
    const [m, n] = [a.at(-i), b.at(-i)]
    if (m !== n && m !== 1 && n !== 1) return false
  }
  return true
}

export const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)
