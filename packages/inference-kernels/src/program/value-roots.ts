// SPDX-License-Identifier: Apache-2.0
import { failProgram } from './program-error.ts'
import type { ProgramValue } from './types.ts'

/**
 * For each value the value whose bytes it shares in the end: itself, or the end of its chain of aliases.
 * @param values whose aliases name existing values
 * @throws KernelError `PROGRAM_INVALID` for a chain that runs in a circle
 */
export function valueRoots(values: readonly ProgramValue[]): Int32Array {
  const roots = new Int32Array(values.length).fill(-1)
  const onPath = new Uint8Array(values.length)
  for (let start = 0; start < values.length; start++) {
    const path: number[] = []
    let at = start
    while (roots[at] === -1) {
      if (onPath[at] === 1) failProgram(`values[${start}].storage.of`, 'the aliases run in a circle')
      onPath[at] = 1
      path.push(at)
      const storage = values[at]?.storage
      if (storage?.kind === 'alias') at = storage.of
      else roots[at] = at
    }
    for (const each of path) roots[each] = roots[at] as number
  }
  return roots
}
