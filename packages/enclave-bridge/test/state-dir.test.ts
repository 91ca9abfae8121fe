// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cryptoReady, expose } from '@mlcapsule/crypto'
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openStateDir } from '../src/node/state-dir.ts'

const unusable = expect.objectContaining({ code: 'BRIDGE_STATE_UNUSABLE', field: 'stateDir' })
const locks = () => readdirSync(path).filter((name) => name.startsWith('lock'))

let path = ''
beforeAll(() => cryptoReady())
beforeEach(() => {
  const home = mkdtempSync(join(tmpdir(), 'mlcapsule-state-'))
  path = join(home, 'state')
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
})

test('keeps records, keys and anchor from one opening to the next', async () => {
  const first = await openStateDir(path)
  expect(await first.records.readRecord('ledger')).toBeNull()
  await first.records.writeRecord('ledger', Uint8Array.of(1, 2))
  await first.records.writeRecord('pending', Uint8Array.of(3))
  await first.records.writeRecord('pending', null)
  await first.machine.anchor.extend(new Uint8Array(32))
  const value = await first.machine.anchor.read()
  const key = expose(first.machine.platformKey, 'platform-key').slice()
  first.release()

  const second = await openStateDir(path)
  expect(await second.records.readRecord('ledger')).toEqual(Uint8Array.of(1, 2))
  expect(await second.records.readRecord('pending')).toBeNull()
  expect(await second.machine.anchor.read()).toEqual(value)
  expect(expose(second.machine.platformKey, 'platform-key')).toEqual(key)
  second.release()
})

test('serves one enclave at a time, and the next as soon as it is released', async () => {
  const state = await openStateDir(path)
  await expect(openStateDir(path)).rejects.toThrow(unusable)
  expect(locks()).toHaveLength(1)
  state.release()
  expect(locks()).toEqual([])
})

test.skipIf(process.platform === 'win32')('is closed to others, from the start', async () => {
  ;(await openStateDir(path)).release()
  for (const name of ['.', ...readdirSync(path)])
    expect(statSync(join(path, name)).mode & 0o077, name).toBe(0)
  chmodSync(path, 0o750)
  await expect(openStateDir(path)).rejects.toThrow(unusable)
})

test.each(['simulated-root.key', 'simulated-platform.key', 'simulated-anchor'])(
  'refuses a %s of another size, and lets go of the folder',
  async (name) => {
    ;(await openStateDir(path)).release()
    writeFileSync(join(path, name), new Uint8Array(31))
    await expect(openStateDir(path)).rejects.toThrow(unusable)
    expect(locks()).toEqual([])
  },
)
