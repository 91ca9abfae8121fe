// SPDX-License-Identifier: Apache-2.0

// Of the whole process, since so is the device: two attesters in it would write over each other.
const lastCalls = new Map<string, Promise<void>>()

/** Runs a call when those made before for the same device are over, whatever became of them. */
export function oneAtATime<Result>(device: string, call: () => Promise<Result>): Promise<Result> {
  const result = (lastCalls.get(device) ?? Promise.resolve()).then(call)
  const over = result.then(
    () => undefined,
    () => undefined,
  )
  lastCalls.set(device, over)
  void over.then(() => {
    if (lastCalls.get(device) === over) lastCalls.delete(device)
  })
  return result
}
