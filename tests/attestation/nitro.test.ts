// SPDX-License-Identifier: Apache-2.0
import { runNitroCase } from './cases/nitro.ts'
import { describeKind } from './kind.ts'

describeKind('nitro', runNitroCase, {
  cases: 17,
  accepted: 6,
  refused: 11,
  strictAccepted: 3,
  fields: 228,
  different: 0,
})
