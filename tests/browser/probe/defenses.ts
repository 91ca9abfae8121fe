// SPDX-License-Identifier: Apache-2.0
import type { Defense, Tensor } from '@mlcapsule/contracts'
import { labelOnly, rounding, topK } from '@mlcapsule/defense-plugins'
import { runDefense } from '@mlcapsule/defense-plugins/testing'
import { codeFrom } from './code.ts'

export interface DefenseFindings {
  readonly rounding: readonly number[]
  readonly topK: readonly number[]
  readonly labelOnly: readonly number[]
  readonly badConfig: string
}

export async function probeDefenses(): Promise<DefenseFindings> {
  return {
    rounding: scoresAfter(rounding, { decimals: 1 }),
    topK: scoresAfter(topK, { k: 2 }),
    labelOnly: scoresAfter(labelOnly, {}),
    badConfig: await codeFrom(() => scoresAfter(rounding, { decimals: 7 })),
  }
}

function scoresAfter<Config>(defense: Defense<Config, undefined>, config: unknown): readonly number[] {
  const answer: Tensor = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(0.125, 0.75, 0.0625, 0.25) }
  const { outputs } = runDefense(defense, config, { inputs: [], outputs: [answer] })
  return [...(outputs?.[0]?.data ?? [])].map(Number)
}
