// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { Lane } from '../src/host/lane.ts'

const invalid = (field: string) => expect.objectContaining({ code: 'BRIDGE_OPTION_INVALID', field })

test.each([0, -1, 1.5, 257, Number.NaN, Number.POSITIVE_INFINITY])(
  'no queue has room for %d calls',
  (limit) => {
    expect(() => new Lane(limit)).toThrow(invalid('queueLimit'))
  },
)

test.each([0, -1, 1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY])(
  'no call waits for %d ms: it is not made, and the lane stays free',
  async (timeoutMs) => {
    const lane = new Lane(1)
    const made: string[] = []
    const call = (name: string) => async () => void made.push(name)
    await expect(lane.run(call('refused'), { timeoutMs })).rejects.toThrow(invalid('timeoutMs'))
    await lane.run(call('next'), { timeoutMs: 2 ** 31 - 1 })
    expect(made).toEqual(['next'])
  },
)
