// SPDX-License-Identifier: Apache-2.0

/** Floats in [-scale, scale). */
export function randomFloats(random: () => number, count: number, scale = 1): Float32Array {
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = (random() * 2 - 1) * scale
  return values
}
