// SPDX-License-Identifier: Apache-2.0
import { lstat } from 'node:fs/promises'

/**
 * Why a path is no folder that its owner alone, this user, can enter; or undefined. A link is none. Windows has no modes:
 * there every folder passes. Rejects with what the operating system says where there is nothing.
 */
export async function privateFolderProblem(path: string): Promise<string | undefined> {
  const stat = await lstat(path)
  if (!stat.isDirectory()) return 'expected a folder'
  if (process.platform === 'win32') return undefined
  if (stat.uid !== process.geteuid?.()) return 'it belongs to another user'
  return (stat.mode & 0o077) === 0 ? undefined : `expected mode 700, got ${(stat.mode & 0o777).toString(8)}`
}
