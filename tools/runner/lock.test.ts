// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withLock } from './lock.mjs'

let parent = ''
let dir = ''

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'lock-'))
  dir = join(parent, 'lock')
})

afterEach(() => rmSync(parent, { recursive: true, force: true }))

const notWaiting = () => {
  throw new Error('waited for a lock that nobody holds')
}

describe('withLock', () => {
  test('lets one in at a time and tells the other whom it waits for', async () => {
    const order: string[] = []
    const waited: unknown[] = []
    const first = withLock(dir, notWaiting, async () => {
      order.push('first in')
      await sleep(50)
      order.push('first out')
    })
    const second = withLock(
      dir,
      (pid: unknown) => waited.push(pid),
      async () => order.push('second in'),
    )
    await Promise.all([first, second])
    expect(order).toEqual(['first in', 'first out', 'second in'])
    expect(waited).toEqual([process.pid])
  })

  test('is free again after the action threw', async () => {
    const failing = withLock(dir, notWaiting, async () => {
      throw new RangeError('no')
    })
    await expect(failing).rejects.toThrow(RangeError)
    expect(existsSync(dir)).toBe(false)
  })

  test('takes over from a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    mkdirSync(dir)
    writeFileSync(join(dir, 'holder.json'), JSON.stringify({ pid, host: hostname() }))
    await expect(withLock(dir, notWaiting, async () => 'in')).resolves.toBe('in')
  })
})
