// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder that goes away with the test that asked for it. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'mlc-provider-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A folder for several tests; the caller removes it. */
export function sharedTempDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'mlc-provider-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
