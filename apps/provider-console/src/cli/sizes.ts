// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander'

/** Parser for an option `name=size` that may be given several times. */
export function collectSizes(
  text: string,
  previous: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const [, name, size] = /^([^=]+)=([1-9]\d{0,8})$/.exec(text) ?? []
  if (name === undefined || size === undefined)
    throw new InvalidArgumentError('Expected name=size, e.g. batch=1.')
  return { ...previous, [name]: Number(size) }
}
