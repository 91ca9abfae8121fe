// SPDX-License-Identifier: Apache-2.0
import type { ViteUserConfig } from 'vitest/config'
import { unitTests } from '../../tools/vitest.shared.ts'

// Most files make databases and processes, which take their time where the processors are shared.
const slow = process.env.SLOW === '1' ? 1_800_000 : 120_000
const config: ViteUserConfig = unitTests({ hookTimeout: slow, testTimeout: slow, maxWorkers: 2 })
export default config
