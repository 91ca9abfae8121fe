// SPDX-License-Identifier: Apache-2.0
import type { ViteUserConfig } from 'vitest/config'
import { unitTests } from '../tools/vitest.shared.ts'

const config: ViteUserConfig = unitTests()
export default config
