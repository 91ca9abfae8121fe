// SPDX-License-Identifier: Apache-2.0
// What must not work, and the code with which it does not.
import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DemoError } from './programs.mjs'
import { orderFor } from './steps.mjs'

const provider = 'mlcapsule-provider'
const client = 'mlcapsule'
const capsuleFile = 'model.capsule'

const attemptWidth = 46

/** Makes each attempt, and shows who refuses it and with which code. */
export async function showRefusals(world, service) {
  const { screen } = world
  const { style } = screen
  const show = (attempt, by, code) =>
    screen.line(`${attempt.padEnd(attemptWidth)}  ${style.dim(by.padEnd(8))}  ${style.yellow(code)}`)
  screen.step('What must be refused is refused')
  await oneQueryTooMany(world, show)
  await olderLedger(world, show)
  await changedCapsule(world, show)
  await changedEnclave(world, show, service)
  await replayedActivation(world, show)
}

async function oneQueryTooMany({ programs, entry, inputs }, show) {
  const code = 'LICENSE_QUOTA_EXHAUSTED'
  await programs.refusal(code, client, 'run', capsuleFile, inputs[0], '--entry', entry)
  show(`query ${inputs.length + 1} of ${inputs.length}`, 'enclave', code)
}

/** The host puts back the sealed ledger of the time when all queries were left. */
async function olderLedger({ programs, entry, inputs, ledger }, show) {
  const code = 'LEDGER_ROLLED_BACK'
  await ledger.putBackFirst()
  await programs.refusal(code, client, 'run', capsuleFile, inputs[0], '--entry', entry)
  await ledger.putBackLast()
  show('the sealed ledger of before, put back', 'enclave', code)
}

/** Where the header has the model's name: key 5 of a CBOR map, and a text of this length (RFC 8949, section 3.1). */
function placeOfName(capsule, name) {
  const start = Buffer.from(name.length < 24 ? [5, 0x60 + name.length] : [5, 0x78, name.length])
  const at = capsule.indexOf(Buffer.concat([start, Buffer.from(name)]))
  if (at < 0) throw new DemoError('the name of the model is not where a header has it')
  return at + start.length
}

async function changedCapsule({ programs, folder, name, entry, inputs }, show) {
  const whole = await readFile(join(folder, capsuleFile))
  const renamed = Buffer.from(whole)
  renamed[placeOfName(whole, name)] ^= 1
  await writeFile(join(folder, 'renamed.capsule'), renamed)
  const flipped = Buffer.from(whole)
  flipped[flipped.length - 1000] ^= 1
  await writeFile(join(folder, 'flipped.capsule'), flipped)
  const run = ['run', 'flipped.capsule', inputs[0], '--entry', entry]
  await Promise.all([
    programs.refusal('CAPSULE_SIGNATURE_INVALID', client, 'activate', 'renamed.capsule'),
    programs.refusal('CAPSULE_TREE_MISMATCH', client, 'inspect', '--verify', 'flipped.capsule'),
    programs.refusal('SEAL_OPEN_FAILED', client, ...run),
  ])
  show('a capsule with another name in its header', 'client', 'CAPSULE_SIGNATURE_INVALID')
  show('a capsule with one bit of its weights flipped', 'client', 'CAPSULE_TREE_MISMATCH')
  show('the same, handed to the enclave unchecked', 'enclave', 'SEAL_OPEN_FAILED')
}

async function changedEnclave({ programs, folder, entry, enclaveDir }, show, service) {
  const changedDir = join(folder, 'changed-enclave')
  await cp(enclaveDir, changedDir, { recursive: true })
  const file = (await readdir(changedDir)).find((it) => it === `entry-${entry}.mjs`)
  if (file === undefined) throw new DemoError(`the build has no entry ${entry}`)
  await appendFile(join(changedDir, file), '\n// one line more\n')
  const state = ['--state', join(folder, 'changed-client')]
  await Promise.all([
    programs.json(client, 'trust', 'provider/keys/publisher.jwk', ...state),
    programs.json(client, 'key', '-o', 'second-customer.jwk', ...state),
  ])
  await orderFor({ programs }, 'second-customer.jwk', 5)

  const enclave = ['--entry', entry, '--enclave', changedDir, ...state]
  const activate = ['activate', capsuleFile, '--service', service.url, ...enclave]
  await Promise.all([
    programs.refusal('BRIDGE_BUNDLE_MISMATCH', client, ...activate),
    programs.refusal('ATTESTATION_MEASUREMENT_UNKNOWN', client, ...activate, '--allow-modified-enclave'),
  ])
  show('an enclave with one line more than was built', 'client', 'BRIDGE_BUNDLE_MISMATCH')
  show('the same, started all the same', 'provider', 'ATTESTATION_MEASUREMENT_UNKNOWN')
}

/** Two enclaves answer one challenge: the first gets a key, for the same bytes always the same; the second none. */
async function replayedActivation({ programs, folder, entry }, show) {
  const first = join(folder, 'changed-client')
  const second = join(folder, 'second-client')
  await mkdir(second, { mode: 0o700 })
  await cp(join(first, 'customer.key'), join(second, 'customer.key'), { preserveTimestamps: true })
  const ids = ['--capsule', capsuleFile, '--customer', 'second-customer.jwk']
  await Promise.all([
    programs.json(client, 'trust', 'provider/keys/publisher.jwk', '--state', second),
    programs.json(provider, 'challenge', 'create', ...ids, '-o', 'challenge.jws'),
  ])
  const request = (state, output) => {
    const files = ['--challenge', 'challenge.jws', '--request-out', output]
    return programs.json(client, 'activate', capsuleFile, ...files, '--entry', entry, '--state', state)
  }
  await Promise.all([request(first, 'request-1.jws'), request(second, 'request-2.jws')])
  const answer = (request, output) => ['activate', request, '-o', output]
  const one = await programs.json(provider, ...answer('request-1.jws', 'response-1.jws'))
  const again = await programs.json(provider, ...answer('request-1.jws', 'response-2.jws'))
  if (one.response !== again.response) throw new DemoError('the same request got another response')
  await programs.refusal('ACTIVATION_REPLAYED', provider, ...answer('request-2.jws', 'response-3.jws'))
  show('a second enclave on the same challenge', 'provider', 'ACTIVATION_REPLAYED')
}
