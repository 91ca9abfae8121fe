// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises'

/** Makes renames and new names in a folder durable. Windows neither needs nor allows it. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
