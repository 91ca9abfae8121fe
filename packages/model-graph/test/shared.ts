// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** The maintainers' reference data. */
export const sharedDir = process.env.MLCAPSULE_SHARED_DIR ?? join(repository, '../shared')

/** Why a test that needs a folder of it is skipped, or null where it is there. */
export function missing(folder: string): string | null {
  return existsSync(join(sharedDir, folder)) ? null : `skipped: ${folder} of the reference data is not there`
}
