// SPDX-License-Identifier: Apache-2.0
import type { StateOption } from '@mlcapsule/model-graph'
import { InvalidArgumentError } from 'commander'

/**
 * Which inputs and outputs become states: `auto`, `none`, or pairs such as `h=hn,c=cn`.
 * @throws InvalidArgumentError of commander, for anything else
 */
export function parseStates(text: string): StateOption {
  if (text === 'auto' || text === 'none') return text
  return text.split(',').map((pair) => {
    const [, input, output] = /^([^=]+)=([^=]+)$/.exec(pair) ?? []
    if (input !== undefined && output !== undefined) return { input, output }
    throw new InvalidArgumentError('Expected auto, none, or input=output, e.g. h=hn,c=cn.')
  })
}
