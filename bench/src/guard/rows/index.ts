// SPDX-License-Identifier: Apache-2.0
import { growth } from './growth.ts'
import { layers } from './layers.ts'
import { overhead } from './overhead.ts'
import { pack } from './pack.ts'
import { query } from './query.ts'
import type { Row } from './row.ts'
import { start } from './start.ts'
import { streaming } from './streaming.ts'
import { throughput } from './throughput.ts'
import { work } from './work.ts'

/** Every row, in the order of the report. */
export const rows: readonly Row[] = [
  overhead,
  streaming,
  query,
  start,
  pack,
  throughput,
  growth,
  work,
  layers,
]
