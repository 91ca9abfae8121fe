// SPDX-License-Identifier: Apache-2.0
import type { Program } from '../program/types.ts'
import { noActivation, ProgramBuilder } from './program-builder.ts'
import { SeededRandom } from './random.ts'

/** A random program of small float steps, some in place, some over aliases, with values read long after, and maybe a state. */
export function randomProgram(seed: number): Program {
  const random = new SeededRandom(seed)
  const p = new ProgramBuilder()
  const hasState = random.next() < 0.5
  const y = hasState ? p.arena([4, 6]) : p.input('y', [4, 6])
  const known = [p.input('x', [4, 6]), y]
  const stepCount = random.int(1, 25)
  for (let i = 0; i < stepCount; i++) {
    let [a, b] = [random.pick(known), random.pick(known)]
    if (random.next() < 0.2) a = p.alias(p.alias(a, [6, 4]), [4, 6])
    const output = p.arena([4, 6])
    switch (random.int(0, 4)) {
      case 0:
        p.step({ op: 'unary', input: a, output, unary: 'relu', alpha: 0, beta: 0 })
        break
      case 1:
        p.step({ op: 'binary', a, b, output, binary: 'add', activation: noActivation })
        break
      case 2:
        p.step({ op: 'softmax', input: a, output, axis: 1, softmax: 'softmax' })
        break
      case 3:
        b = p.alias(b, [6, 4])
        p.step({ op: 'transpose', input: b, output, permutation: [1, 0] })
        break
      default:
        p.step({ op: 'slice', input: a, output, starts: [3, 5], steps: [-1, -1] })
    }
    known.push(output)
  }
  if (hasState) p.state(y, random.pick(known))
  return p
    .output('last', known.at(-1) as number)
    .output('other', random.pick(known))
    .build().program
}
