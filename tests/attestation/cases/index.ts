// SPDX-License-Identifier: Apache-2.0
import type { CaseRunner } from '../case.ts'
import { runTpmCase } from './tpm.ts'

/** By the folder that the cases lie in. */
export const caseRunners: Readonly<Record<string, CaseRunner>> = {
  tpm: runTpmCase,
}
