// SPDX-License-Identifier: Apache-2.0
import { bridgeLimits } from '@mlcapsule/enclave-bridge/protocol'
import type { SessionState } from '@mlcapsule/inference-kernels'
import { expect, test } from 'vitest'
import type { Model } from '../src/core/model.ts'
import { Sequences } from '../src/core/sequences.ts'

/** A state of any size, without the bytes. */
function fakeState() {
  const state = {
    sizeBytes: 0,
    stagedSizeBytes: null as number | null,
    disposed: false,
    commit() {
      state.sizeBytes = state.stagedSizeBytes ?? state.sizeBytes
      state.stagedSizeBytes = null
    },
    discard() {
      state.stagedSizeBytes = null
    },
    dispose() {
      state.disposed = true
    },
  }
  return state satisfies SessionState
}

function openedWith(states: readonly ReturnType<typeof fakeState>[]) {
  const left = [...states]
  const model = { hasStates: true, createState: () => left.shift() as SessionState }
  const sequences = new Sequences(model as unknown as Model)
  return { sequences, ids: states.map(() => sequences.open()) }
}

test('what all sequences hold together is bounded, and what one leaves is checked before it counts', () => {
  const { sequencesMaxSizeBytes } = bridgeLimits
  const [a, b] = [fakeState(), fakeState()]
  const { sequences, ids } = openedWith([a, b])
  const [first, second] = ids as [number, number]
  a.stagedSizeBytes = sequencesMaxSizeBytes - 100
  sequences.assertRoom(first)
  sequences.advance(first)
  b.stagedSizeBytes = 100
  sequences.assertRoom(second)
  b.stagedSizeBytes = 101
  expect(() => sequences.assertRoom(second)).toThrow(
    expect.objectContaining({
      code: 'ENCLAVE_SEQUENCE_LIMIT_EXCEEDED',
      field: 'sequence',
      numbers: [sequencesMaxSizeBytes],
    }),
  )
  b.discard()
  expect([sequences.find(first).step, sequences.find(second).step]).toEqual([1, 0])
  // What a sequence held before makes room for what it holds then.
  a.stagedSizeBytes = sequencesMaxSizeBytes
  sequences.assertRoom(first)
  sequences.close(first)
  b.stagedSizeBytes = sequencesMaxSizeBytes
  sequences.assertRoom(second)
  expect([a.disposed, b.disposed]).toEqual([true, false])
  sequences.wipe()
  expect(b.disposed).toBe(true)
  expect(() => sequences.find(second)).toThrow(expect.objectContaining({ code: 'ENCLAVE_SEQUENCE_UNKNOWN' }))
})

test('an id never comes twice, and a query is the next one or refused', () => {
  const { sequences, ids } = openedWith([fakeState(), fakeState()])
  expect(ids).toEqual([1, 2])
  sequences.assertNext({ id: 1, step: 0 })
  sequences.advance(1)
  for (const step of [0, 2]) {
    expect(() => sequences.assertNext({ id: 1, step })).toThrow(
      expect.objectContaining({ code: 'ENCLAVE_SEQUENCE_STEP_MISMATCH', numbers: [1, step] }),
    )
  }
  sequences.assertNext({ id: 1, step: 1 })
})
