// SPDX-License-Identifier: Apache-2.0
export { argmax, mapClassRows } from './class-rows.ts'
export { defineDefense, parseDefenseConfig } from './define-defense.ts'
export { DefenseError, type DefenseErrorCode, defenseErrorTable } from './errors.ts'
export { type LabelOnlyConfig, labelOnly } from './label-only/label-only.ts'
export { type RoundingConfig, rounding } from './rounding/rounding.ts'
export { type TopKConfig, topK } from './top-k/top-k.ts'
export { block, degrade, pass, perturb } from './verdicts.ts'
