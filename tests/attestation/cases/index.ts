// SPDX-License-Identifier: Apache-2.0
import type { CaseRunner } from '../case.ts'
import { runNitroCase } from './nitro.ts'
import { runSgxCase } from './sgx.ts'
import { runSnpCase } from './snp.ts'
import { runTdxCase } from './tdx.ts'
import { runTpmCase } from './tpm.ts'

/** By the folder that the cases lie in. */
export const caseRunners: Readonly<Record<string, CaseRunner>> = {
  sgx: runSgxCase,
  tdx: runTdxCase,
  snp: runSnpCase,
  nitro: runNitroCase,
  tpm: runTpmCase,
}
