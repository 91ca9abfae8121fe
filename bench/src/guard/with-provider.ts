// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { PackedBy } from './provider.ts'

/**
 * Does some work with capsules of a provider that runs in another process, so that nothing of packing is in the memory and
 * the caches of what is measured.
 */
export async function withProviderOf<Result>(
  names: readonly string[],
  work: (provider: PackedBy, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-bench-'))
  const child = spawn(
    process.execPath,
    [
      '--conditions=@mlcapsule/source',
      join(import.meta.dirname, 'provider-process.ts'),
      ...['--folder', folder, '--networks', [...new Set(names)].join(',')],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = once(child, 'close')
  try {
    const first = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
    if (typeof first[0] !== 'string') throw new Error('the provider ended before it was ready')
    return await work(JSON.parse(first[0]) as PackedBy, folder)
  } finally {
    child.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}
