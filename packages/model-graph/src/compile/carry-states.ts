// SPDX-License-Identifier: Apache-2.0
import type { Program, ProgramPort } from '@mlcapsule/inference-kernels/program'
import type { StatePair } from './states.ts'

/** Takes inputs and outputs out of a program's ports and carries them from query to query instead. */
export function carryStates(program: Program, pairs: readonly StatePair[]): Program {
  const valueNamed = (ports: readonly ProgramPort[], name: string) =>
    (ports.find((port) => port.name === name) as ProgramPort).value
  const states = pairs.map(({ input, output }) => ({
    input: valueNamed(program.inputs, input),
    output: valueNamed(program.outputs, output),
  }))
  const isPort = (side: keyof StatePair) => (port: ProgramPort) =>
    pairs.every((pair) => pair[side] !== port.name)
  return {
    ...program,
    inputs: program.inputs.filter(isPort('input')),
    outputs: program.outputs.filter(isPort('output')),
    states,
  }
}
