// SPDX-License-Identifier: Apache-2.0
import type { Defense } from '@mlcapsule/contracts'
import * as z from 'zod/mini'
import { argmax, mapClassRows } from '../class-rows.ts'
import { defineDefense } from '../define-defense.ts'
import { perturb } from '../verdicts.ts'

const config = z.strictObject({ decimals: z.int().check(z.minimum(0), z.maximum(6)) })

/** `decimals`: digits kept after the decimal point, 0 to 6 (a float32 near 1 has no more than 7). */
export type RoundingConfig = z.infer<typeof config>

/**
 * Rounds scores to a fixed number of decimals, half away from zero. Takes the digits that equation-solving extraction
 * lives from; the class that was on top stays on top.
 * @see Tramèr et al., Stealing Machine Learning Models via Prediction APIs, USENIX Security 2016, §7
 */
export const rounding: Defense<RoundingConfig, undefined> & { readonly name: 'rounding' } = defineDefense({
  name: 'rounding',
  version: 1,
  config,
  onAnswer: ({ config: { decimals } }, outputs) =>
    perturb(mapClassRows(outputs, (row) => roundRow(row, 10 ** decimals))),
})

function roundRow(row: Float32Array, scale: number): void {
  const top = argmax(row)
  for (let index = 0; index < row.length; index++) row[index] = roundHalfAway(row[index] as number, scale)
  // Rounding can tie the winner with a class that comes before it; the winner then goes up by one unit of the last digit.
  const tied = top > 0 && row.subarray(0, top).includes(row[top] as number)
  if (tied) row[top] = roundHalfAway((row[top] as number) + 1 / scale, scale)
}

function roundHalfAway(value: number, scale: number): number {
  const scaled = Math.abs(value) * scale
  // Beyond 2^52 a double holds no fraction: the value has fewer digits than are kept.
  if (!(scaled < 2 ** 52)) return value
  return (Math.sign(value) * Math.floor(scaled + 0.5)) / scale
}
