// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import type { FuzzAttribute, FuzzGraph } from './fuzz-graph.ts'

const shownCount = 24

function elements({ data }: Tensor): string {
  const shown = Array.from(data as ArrayLike<number | bigint>)
    .slice(0, shownCount)
    .join(' ')
  return data.length > shownCount ? `${shown} …` : shown
}

function attribute(value: FuzzAttribute): string {
  if (typeof value !== 'object') return String(value)
  if ('float' in value) return String(value.float)
  return 'dtype' in value ? `${value.dtype}(${elements(value)})` : `[${value}]`
}

/** A graph in lines: inputs, constants, nodes, outputs. */
export function printGraph({ opset, inputs, constants, nodes, outputs }: FuzzGraph): string {
  return [
    `operator set ${opset}`,
    ...inputs.map(
      ({ name, tensor, declared }) =>
        `input ${name}: ${tensor.dtype} [${declared}]${declared.join() === tensor.shape.join() ? '' : ` = [${tensor.shape}]`}: ${elements(tensor)}`,
    ),
    ...[...constants].map(([name, it]) => `constant ${name}: ${it.dtype} [${it.shape}]: ${elements(it)}`),
    ...nodes.map(({ op, inputs: read, outputs: made, attributes }) => {
      const given = Object.entries(attributes).map(([name, it]) => ` ${name}=${attribute(it)}`)
      return `${made.filter(Boolean).join(', ')} = ${op}(${read.join(', ')})${given.join('')}`
    }),
    `output ${outputs.map((it) => it.name).join(', ')}`,
  ].join('\n')
}
