// SPDX-License-Identifier: Apache-2.0
import { maxRank } from '@mlcapsule/contracts'

/** What the decoder, the validator and the planner accept at most. Programs come from outside: each count is bounded. */
export const programLimits = {
  programSizeBytes: 64 * 1024 * 1024,
  symbolCount: 64,
  operatorCount: 256,
  valueCount: 65_536,
  stepCount: 16_384,
  portCount: 256,
  stateCount: 1024,
  /** `if` steps within one another. */
  branchDepth: 16,
  /** Operands of one concat. */
  operandCount: 1024,
  nameSizeBytes: 256,
  rank: maxRank,
  dimension: 2 ** 31 - 1,
  /** Elements of one tensor. */
  elementCount: 2 ** 31 - 1,
  /** Arena and weights together: what 32-bit addresses reach, in whole lines of 64 bytes. */
  memorySizeBytes: 2 ** 32 - 64,
  /** Records that one program may become when it is bound. */
  recordCount: 262_144,
} as const
