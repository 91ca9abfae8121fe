// SPDX-License-Identifier: Apache-2.0
import type { Defense } from '@mlcapsule/contracts'
import * as z from 'zod/mini'
import { argmax, mapClassRows } from '../class-rows.ts'
import { defineDefense } from '../define-defense.ts'
import { perturb } from '../verdicts.ts'

const config = z.strictObject({})

export type LabelOnlyConfig = z.infer<typeof config>

/**
 * Gives 1 for the top class of each row and 0 for the others: no confidences leave. It stops attacks that read
 * confidences; label-only attacks remain.
 * @see Choquette-Choo et al., Label-Only Membership Inference Attacks, ICML 2021, for what remains
 */
export const labelOnly: Defense<LabelOnlyConfig, undefined> & { readonly name: 'label-only' } = defineDefense(
  {
    name: 'label-only',
    version: 1,
    config,
    onAnswer: (_context, outputs) =>
      perturb(
        mapClassRows(outputs, (row) => {
          const top = argmax(row)
          row.fill(0)
          if (top !== -1) row[top] = 1
        }),
      ),
  },
)
