// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Folders that hold nothing written by people. */
const ignoredDirs = new Set(['node_modules', 'dist', '.git', '.turbo', '.results', 'coverage', '.mlcapsule'])

/** Paths of all files under `dir` relative to `root`, with `/`, sorted. Links are not followed. */
export function listFiles(root, dir = '') {
  const found = []
  for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
    const path = dir === '' ? entry.name : `${dir}/${entry.name}`
    if (entry.isDirectory()) {
      if (!ignoredDirs.has(entry.name)) found.push(...listFiles(root, path))
    } else if (entry.isFile()) found.push(path)
  }
  return found.sort()
}

/** Files that are or could be committed. Outside a git clone (an unpacked archive, say) all files are. */
export function listCommittable(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const git = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (git.status !== 0) return listFiles(root)
  return git.stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
}
