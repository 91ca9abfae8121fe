// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessMemory {
  readonly residentSizeBytes: number
  readonly peakSizeBytes: number
}

function read(pid: string): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return { residentSizeBytes: field('VmRSS'), peakSizeBytes: field('VmHWM') }
}

/** Memory of this process's only child, as Linux counts it; undefined without a child, and on other systems. */
export function processMemory(): ProcessMemory | undefined {
  try {
    const threads = readdirSync('/proc/self/task')
    const children = threads.flatMap((id) =>
      readFileSync(`/proc/self/task/${id}/children`, 'utf8').split(' ').filter(Boolean),
    )
    return children[0] === undefined ? undefined : read(children[0])
  } catch {
    return undefined
  }
}
