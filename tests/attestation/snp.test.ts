// SPDX-License-Identifier: Apache-2.0
import { runSnpCase } from './cases/snp.ts'
import { describeKind } from './kind.ts'

describeKind('snp', runSnpCase, {
  cases: 22,
  accepted: 7,
  refused: 15,
  strictAccepted: 3,
  fields: 522,
  different: 0,
})
