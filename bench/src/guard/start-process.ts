// SPDX-License-Identifier: Apache-2.0
// Cold starts in a process of its own: launch, activation, first answer; each with a state that is new.
import { openGuarded } from './guarded.ts'
import { count, finish, freshOptions, inputOf, provider } from './model-options.ts'

const launchMs: number[] = []
const activateMs: number[] = []
const answerMs: number[] = []
for (let turn = 0; turn < count; turn++) {
  const guarded = await openGuarded(provider, await freshOptions())
  const startMs = performance.now()
  await guarded.ask(inputOf(turn))
  answerMs.push(performance.now() - startMs)
  launchMs.push(guarded.startMs.launch)
  activateMs.push(guarded.startMs.activate)
  await guarded.close()
}
finish({ launchMs, activateMs, answerMs })
