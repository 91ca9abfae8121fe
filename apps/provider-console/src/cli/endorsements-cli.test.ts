// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ReferenceValue, verifyReference } from '@mlcapsule/attestation'
import { encodeBundle } from '@mlcapsule/attestation/collateral'
import { cryptoReady, keyThumbprint } from '@mlcapsule/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testManifest } from '../../test-support/fake-enclave.ts'
import { runCli } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { readPublicKey } from '../keys/public-key.ts'

const dir = sharedTempDir()
const file = (name: string) => join(dir.path, name)
const run = (...args: string[]) => runCli([...args, '--json'], dir.path)

async function json<Value>(...args: string[]): Promise<Value> {
  const { exitCode, stdout, stderr } = await run(...args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Value
}

beforeAll(async () => {
  await cryptoReady()
  writeFileSync(file('manifest.json'), JSON.stringify(testManifest))
  await json('keygen')
})
afterAll(() => dir.remove())

describe('collateral', () => {
  test('what is imported is shown and exported, byte for byte', async () => {
    const bundle = encodeBundle(new Map([['intel/root-crl', Uint8Array.of(1, 2, 3)]]))
    writeFileSync(file('bundle.json'), bundle)
    const items = [{ name: 'intel/root-crl', sizeBytes: 3 }]
    expect(await json('collateral', 'import', 'bundle.json')).toEqual({ items })
    expect(await json('collateral', 'show')).toEqual({ items, newestSeenMs: 0 })
    await json('collateral', 'export', '-o', 'again.json')
    expect(new Uint8Array(readFileSync(file('again.json')))).toEqual(bundle)
  })

  test('#80 a bundle that is none is refused', async () => {
    writeFileSync(file('none.json'), '{"version":1,"items":{}}')
    const { exitCode, stderr } = await run('collateral', 'import', 'none.json')
    expect([exitCode, JSON.parse(stderr)]).toMatchObject([
      4,
      { error: { code: 'ATTESTATION_COLLATERAL_INVALID' } },
    ])
  })
})

describe('reference', () => {
  test('made with the key of the publisher, taken in and listed', async () => {
    const made = await json<{ reference: ReferenceValue }>(
      ...['reference', 'create', '--release', 'runtime-1.0.0', '--platform', 'simulated'],
      ...['--register', `mrTd=${'AB'.repeat(48)}`, '--manifest', 'manifest.json', '-o', 'release.jws'],
    )
    const signer = keyThumbprint(await readPublicKey(file('mlcapsule-store/keys/publisher.jwk')))
    expect(made.reference).toMatchObject({ signer, measurement: { mrTd: 'ab'.repeat(48) } })
    const token = readFileSync(file('release.jws'), 'utf8').trim()
    expect(await verifyReference(token, [signer])).toEqual(made.reference)
    await json('reference', 'import', 'release.jws')
    expect(await json('reference', 'list')).toEqual({ references: [made.reference] })
  })
})
