// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { spawnProcess } from '../src/node/spawn-process.ts'

const { spawned } = vi.hoisted(() => ({ spawned: { child: undefined as unknown } }))
vi.mock('node:child_process', () => ({ spawn: () => spawned.child }))

const options = {
  entryPath: '/none',
  addonPaths: [],
  sharedMemoryPath: undefined,
  capsuleDescriptor: undefined,
  allowThreads: false,
  showOutput: false,
}

test('a system out of descriptors is a failed launch, and its later error is not left unhandled', () => {
  const child = new EventEmitter()
  spawned.child = child
  expect(() => spawnProcess(options)).toThrow(expect.objectContaining({ code: 'BRIDGE_LAUNCH_FAILED' }))
  // Without a listener this would throw.
  expect(child.emit('error', new Error('spawn EMFILE'))).toBe(true)
})
