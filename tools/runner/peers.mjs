// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { root } from './environment.mjs'
import { run, tail } from './exec.mjs'
import { npmCommand } from './setup.mjs'

/** Installs the runtimes that we compare with, from their own lock file. No install script of theirs runs. */
export async function installPeers({ env }) {
  const [file, ...args] = [...npmCommand(), 'ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const result = await run(file, args, {
    env: { ...env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    cwd: join(root, 'bench', 'peers'),
  })
  process.stdout.write(result.code === 0 ? 'peers: installed\n' : `${tail(result.output)}\n`)
  return result.code
}
