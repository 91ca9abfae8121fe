// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'

const file = (name) => new URL(name, import.meta.url)
const read = (name) => JSON.parse(readFileSync(file(name), 'utf8'))
const write = (name, value) => writeFileSync(file(name), `${JSON.stringify(value, null, 2)}\n`)

/** Kernels that tfjs-core names: those that the backend has, and those that it does not have. */
export const readKernels = () => read('kernels.json')
/** Tests that do not pass, by reason. */
export const readSkipped = () => read('skipped.json')

const disabled = 'disabled by tfjs-core itself'

function reasonOf({ status, faults }) {
  if (status === 'pending') return disabled
  const kernel = /Kernel '(\w+)' not registered for backend 'mlcapsule'/.exec(faults.join('\n'))?.[1]
  return kernel === undefined ? `fails: ${faults[0]}` : `needs the kernel ${kernel}`
}

/** Names of the tests that did not pass, by reason. A name may be there twice: the suite uses some more than once. */
export function skippedOf(verdicts) {
  const skipped = {}
  for (const verdict of verdicts) {
    if (verdict.status === 'passed') continue
    const reason = reasonOf(verdict)
    skipped[reason] = [...(skipped[reason] ?? []), verdict.name]
  }
  const sorted = Object.keys(skipped).sort()
  return Object.fromEntries(sorted.map((reason) => [reason, skipped[reason].sort()]))
}

/** @param tfjs the namespace of tfjs-core, which exports the name of each kernel under that name */
export function kernelsOf(tfjs, registered) {
  const names = Object.keys(tfjs).filter((name) => tfjs[name] === name)
  const missing = names.filter((name) => !registered.includes(name)).sort()
  return { registered: [...registered].sort(), notRegistered: missing }
}

export function countsOf(verdicts) {
  const count = (status) => verdicts.filter((it) => it.status === status).length
  return { passed: count('passed'), failed: count('failed'), pending: count('pending') }
}

export function writeLists(kernels, skipped) {
  write('kernels.json', kernels)
  write('skipped.json', skipped)
}
