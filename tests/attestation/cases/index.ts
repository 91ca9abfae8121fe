// SPDX-License-Identifier: Apache-2.0
import type { CaseRunner } from '../case.ts'
import { runNitroCase } from './nitro.ts'
import { runSnpCase } from './snp.ts'

/** By the folder that the cases lie in. */
export const caseRunners: Readonly<Record<string, CaseRunner>> = {
  nitro: runNitroCase,
  snp: runSnpCase,
}
