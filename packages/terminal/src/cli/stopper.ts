// SPDX-License-Identifier: Apache-2.0
import type { CliContext } from './context.ts'

export interface Stopper {
  readonly onStop: CliContext['onStop']
  /** Exit code of the first request, once there was one. */
  readonly exitCode: number | undefined
  /** Asked once: what is open is closed without loss. Asked twice, or with nothing open: goes, whatever it costs. */
  request(exitCode: number): void
}

export function createStopper(exit: (exitCode: number) => void): Stopper {
  const handlers = new Set<() => void>()
  let requested: number | undefined
  return {
    get exitCode() {
      return requested
    },
    onStop(handler) {
      handlers.add(handler)
      if (requested !== undefined) handler()
      return () => handlers.delete(handler)
    },
    request(exitCode) {
      if (requested !== undefined || handlers.size === 0) {
        exit(exitCode)
        return
      }
      requested = exitCode
      for (const handler of handlers) handler()
    },
  }
}
