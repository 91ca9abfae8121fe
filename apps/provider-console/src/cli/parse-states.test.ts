// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { parseStates } from './parse-states.ts'

test('states as the command line gives them', () => {
  expect(parseStates('auto')).toBe('auto')
  expect(parseStates('none')).toBe('none')
  expect(parseStates('h=hn,c=cn')).toEqual([
    { input: 'h', output: 'hn' },
    { input: 'c', output: 'cn' },
  ])
})

test.each(['', 'h', 'h=', '=hn', 'h=hn,', 'a=b=c'])('refuses %j', (text) => {
  expect(() => parseStates(text)).toThrow(InvalidArgumentError)
})
