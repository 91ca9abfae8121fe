// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, renameSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Pipes in a folder, each of which a reader may open once. */
export function makePipes(paths: readonly string[]): void {
  if (paths.length > 0) execFileSync('mkfifo', [...paths], { stdio: 'ignore' })
}

/**
 * Answers whoever opens a file, when it is opened, as the files of a device are: a named pipe, whose reader waits until there
 * is a writer. Ends when the pipe is gone.
 */
export async function serveFile(path: string, answer: () => Uint8Array): Promise<void> {
  for (;;) {
    let pipe: number
    try {
      pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      // No reader yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') return
      await sleep(1)
      continue
    }
    const bytes = answer()
    try {
      // The next reader gets a pipe of its own, or it would be given the rest of this one.
      makePipes([`${path}.next`])
      renameSync(`${path}.next`, path)
    } catch {
      // The folder has gone meanwhile; this reader still gets what it opened.
    }
    writeSync(pipe, bytes)
    closeSync(pipe)
  }
}
