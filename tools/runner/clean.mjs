// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './environment.mjs'
import { workspacePackages } from './workspace.mjs'

const written = ['dist', '.results', '.turbo', 'coverage']

/** Removes build outputs, test results and caches; node_modules stay. */
export async function clean() {
  for (const dir of ['.', ...workspacePackages().map((it) => it.dir)]) {
    for (const name of written) rmSync(join(root, dir, name), { recursive: true, force: true })
  }
  rmSync(join(root, 'node_modules', '.cache'), { recursive: true, force: true })
  return 0
}
