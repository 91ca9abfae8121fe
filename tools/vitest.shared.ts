// SPDX-License-Identifier: Apache-2.0
import type { ViteUserConfig } from 'vitest/config'

/**
 * Export conditions, after Vite's defaults. The first is ours: under it a package's exports name its TypeScript source,
 * so that tests need no build.
 */
const conditions = ['@mlcapsule/source', 'module', 'node', 'development|production']

/**
 * The configuration that every package's unit tests share. `SLOW=1` lengthens the time that one test may take,
 * since the long fuzz and property runs are switched on by it.
 */
export function unitTests(overrides: NonNullable<ViteUserConfig['test']> = {}): ViteUserConfig {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['**/*.test.ts'],
      exclude: ['**/node_modules/**', '**/dist/**', '**/bootstrap/**'],
      passWithNoTests: true,
      testTimeout: process.env.SLOW === '1' ? 600_000 : 30_000,
      ...overrides,
    },
  }
}
