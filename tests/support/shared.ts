// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Root of the repository. */
export const repository = join(import.meta.dirname, '../..')

/** The maintainers' reference data. */
export const sharedDir = process.env.MLCAPSULE_SHARED_DIR ?? join(repository, '../shared')

/** Why a test that needs a folder of it is skipped, or null where it is there. */
export function missing(folder: string): string | null {
  return existsSync(join(sharedDir, folder)) ? null : `skipped: ${folder} of the reference data is not there`
}
