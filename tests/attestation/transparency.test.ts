// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Program, programs, sourceCondition } from '../support/programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-transparency-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(program: Program, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [sourceCondition, programs[program], ...args, '--json'],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_NO_WARNINGS: '1', MLCAPSULE_PROVIDER_STORE: '' },
    },
  )
  return { status, json: JSON.parse(status === 0 ? stdout : stderr) as Record<string, unknown> }
}
const provider = (...args: readonly string[]) => run('mlcapsule-provider', ...args)
const client = (reference: string, ...args: readonly string[]) =>
  run(
    ...(['mlcapsule', 'measurement', 'check', '--reference', reference, '--proof', 'proof.json'] as const),
    ...['--log-key', 'mlcapsule-store/keys/log.jwk', '--known-head', 'known.jws', ...args],
  )
const code = (error: string) => ({ status: 4, json: { error: { code: error } } })

beforeAll(() => {
  for (const [name, digest] of [
    ['manifest', '11'],
    ['special', '22'],
  ] as const) {
    const components = [{ name: 'enclave-core', sha384: digest.repeat(48) }]
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify({ version: 1, entry: 'vm', components, plugins: [] }),
    )
  }
  expect(provider('keygen').status).toBe(0)
  for (const [name, manifest] of [
    ['one', 'manifest'],
    ['two', 'manifest'],
    ['special', 'special'],
  ] as const) {
    const made = provider(
      ...['reference', 'create', '--release', name, '--platform', 'simulated', '--register', 'mrTd=ab'],
      ...['--manifest', `${manifest}.json`, '-o', `${name}.jws`],
    )
    expect(made.status).toBe(0)
  }
}, 120_000)

test('#77 a client runs what is in the log, and a special enclave for it alone is not', () => {
  expect(provider('transparency', 'append', 'one.jws').status).toBe(0)
  expect(provider('transparency', 'prove', 'one.jws', '-o', 'proof.json').status).toBe(0)
  expect(client('one.jws', '--manifest', 'manifest.json')).toMatchObject({
    status: 0,
    json: { extendsKnownHead: false, head: { count: 1 }, reference: { release: 'one' } },
  })
  expect(existsSync(join(folder, 'known.jws'))).toBe(true)

  // Not in the log; and the proof of another entry is none for it.
  expect(client('special.jws')).toMatchObject(code('TRANSPARENCY_PROOF_INVALID'))
  expect(client('one.jws', '--manifest', 'special.json')).toMatchObject(code('CLIENT_MEASUREMENT_UNKNOWN'))
  expect(client('one.jws', '--signer', 'mlcapsule-store/keys/log.jwk')).toMatchObject(
    code('CLIENT_MEASUREMENT_UNKNOWN'),
  )

  // The log grows: the next proof has to lead from the head that the client keeps.
  expect(provider('transparency', 'append', 'two.jws').status).toBe(0)
  expect(provider('transparency', 'prove', 'two.jws', '-o', 'proof.json', '--force').status).toBe(0)
  expect(client('two.jws')).toMatchObject(code('TRANSPARENCY_PROOF_INVALID'))
  const since = ['--since', 'known.jws', '-o', 'proof.json', '--force']
  expect(provider('transparency', 'prove', 'two.jws', ...since).status).toBe(0)
  expect(client('two.jws')).toMatchObject({ status: 0, json: { extendsKnownHead: true, head: { count: 2 } } })
  expect(provider('transparency', 'head')).toMatchObject({ status: 0, json: { head: { count: 2 } } })
}, 120_000)
