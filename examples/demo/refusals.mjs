// SPDX-License-Identifier: Apache-2.0
// What must not work, and the code with which it does not.
import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DemoError } from './programs.mjs'
import { orderFor } from './steps.mjs'

const provider = 'mlcapsule-provider'
const client = 'mlcapsule'
const capsuleFile = 'model.capsule'

/** @returns the refusals in the order in which they are shown */
export async function showRefusals(world, service) {
  const { screen } = world
  const { style } = screen
  screen.step('What must be refused')
  const rows = [
    ...(await oneQueryTooMany(world)),
    ...(await changedCapsule(world)),
    ...(await changedEnclave(world, service)),
    ...(await replayedActivation(world)),
  ]
  const width = Math.max(...rows.map(([attempt]) => attempt.length))
  for (const [attempt, by, code] of rows) {
    screen.line(`${attempt.padEnd(width)}  ${style.dim(by.padEnd(8))}  ${style.yellow(code)}`)
  }
}

async function oneQueryTooMany({ programs, entry, inputs }) {
  const code = 'LICENSE_QUOTA_EXHAUSTED'
  await programs.refusal(
    code,
    client,
    'run',
    capsuleFile,
    inputs[0],
    '--entry',
    entry,
    '--enclave',
    enclaveDir,
  )
  return [[`query ${inputs.length + 1} of ${inputs.length}`, 'enclave', code]]
}

async function changedCapsule({ programs, folder, name }) {
  const whole = await readFile(join(folder, capsuleFile))
  const at = whole.indexOf(name)
  if (at < 0) throw new DemoError('the name of the model is not where a header has it')
  const renamed = Buffer.from(whole)
  renamed[at] ^= 0x20
  await writeFile(join(folder, 'renamed.capsule'), renamed)
  await programs.refusal('CAPSULE_SIGNATURE_INVALID', client, 'activate', 'renamed.capsule')

  const flipped = Buffer.from(whole)
  flipped[flipped.length - 1000] ^= 1
  await writeFile(join(folder, 'flipped.capsule'), flipped)
  await programs.refusal('CAPSULE_TREE_MISMATCH', client, 'inspect', '--verify', 'flipped.capsule')
  return [
    ['a capsule with another name in its header', 'client', 'CAPSULE_SIGNATURE_INVALID'],
    ['a capsule with one bit of its weights flipped', 'client', 'CAPSULE_TREE_MISMATCH'],
  ]
}

async function changedEnclave({ programs, folder, entry, enclaveDir }, service) {
  const changedDir = join(folder, 'changed-enclave')
  await cp(enclaveDir, changedDir, { recursive: true })
  const file = (await readdir(changedDir)).find((it) => it === `entry-${entry}.mjs`)
  if (file === undefined) throw new DemoError(`the build has no entry ${entry}`)
  await appendFile(join(changedDir, file), '\n// one line more\n')
  const state = ['--state', join(folder, 'changed-client')]
  await programs.json(client, 'trust', 'provider/keys/publisher.jwk', ...state)
  await programs.json(client, 'key', '-o', 'second-customer.jwk', ...state)
  await orderFor({ programs }, 'second-customer.jwk', 5)

  const activate = [
    'activate',
    capsuleFile,
    '--service',
    service.url,
    '--entry',
    entry,
    '--enclave',
    changedDir,
    ...state,
  ]
  await programs.refusal('BRIDGE_BUNDLE_MISMATCH', client, ...activate)
  await programs.refusal('ATTESTATION_MEASUREMENT_UNKNOWN', client, ...activate, '--allow-modified-enclave')
  return [
    ['an enclave with one line more than was built', 'client', 'BRIDGE_BUNDLE_MISMATCH'],
    ['the same, started all the same', 'provider', 'ATTESTATION_MEASUREMENT_UNKNOWN'],
  ]
}

/** Two enclaves answer one challenge: the first gets a key, for the same bytes always the same; the second none. */
async function replayedActivation({ programs, folder, entry }) {
  const first = join(folder, 'changed-client')
  const second = join(folder, 'second-client')
  await mkdir(second, { mode: 0o700 })
  await cp(join(first, 'customer.key'), join(second, 'customer.key'), { preserveTimestamps: true })
  await programs.json(client, 'trust', 'provider/keys/publisher.jwk', '--state', second)
  const ids = ['--capsule', capsuleFile, '--customer', 'second-customer.jwk']
  await programs.json(provider, 'challenge', 'create', ...ids, '-o', 'challenge.jws')
  for (const [state, output] of [
    [first, 'request-1.jws'],
    [second, 'request-2.jws'],
  ]) {
    const files = ['--challenge', 'challenge.jws', '--request-out', output]
    const enclave = ['--entry', entry, '--state', state]
    await programs.json(client, 'activate', capsuleFile, ...files, ...enclave)
  }
  const answer = (request, output) => ['activate', request, '-o', output]
  const one = await programs.json(provider, ...answer('request-1.jws', 'response-1.jws'))
  const again = await programs.json(provider, ...answer('request-1.jws', 'response-2.jws'))
  if (one.response !== again.response) throw new DemoError('the same request got another response')
  await programs.refusal('ACTIVATION_REPLAYED', provider, ...answer('request-2.jws', 'response-3.jws'))
  return [['a second enclave on the same challenge', 'provider', 'ACTIVATION_REPLAYED']]
}
