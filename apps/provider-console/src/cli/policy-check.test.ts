// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeBundle } from '@mlcapsule/attestation/collateral'
import { createSimulatedRoot, simulatedAttester } from '@mlcapsule/attestation/simulated'
import { cryptoReady, generateSigningKeyPair, keyThumbprint, toBase64Url, toHex } from '@mlcapsule/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testManifest } from '../../test-support/fake-enclave.ts'
import { devPolicy } from '../../test-support/packed-store.ts'
import { runCli } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import type { PolicyCheckReport } from '../attestation/check-policy.ts'
import { formatPolicyText } from '../attestation/policy-text.ts'

const dir = sharedTempDir()
const file = (name: string) => join(dir.path, name)
const run = (...args: string[]) => runCli(args, dir.path)
const reportData = new Uint8Array(64).fill(7)
const check = (policy: string, ...more: string[]) =>
  run(
    ...['policy', 'check', 'evidence.bin', policy, '--platform', 'simulated', '--manifest', 'manifest.json'],
    ...['--report-data', toHex(reportData), ...more],
  )

beforeAll(async () => {
  await cryptoReady()
  const attester = simulatedAttester({ root: await createSimulatedRoot(), manifest: testManifest })
  writeFileSync(file('evidence.bin'), (await attester.produce(reportData)).bytes)
  writeFileSync(file('manifest.json'), JSON.stringify(testManifest))
  writeFileSync(file('development.yaml'), formatPolicyText(devPolicy))
  writeFileSync(
    file('production.json'),
    JSON.stringify({ ...devPolicy, name: 'production', allowUnattested: [] }),
  )
  writeFileSync(file('bundle.json'), encodeBundle(new Map()))
})
afterAll(() => dir.remove())

describe('policy check', () => {
  test('accepted: every line with what was found, and exit code 0', async () => {
    const { exitCode, stdout, stderr } = await check('development.yaml')
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^genuine evidence of platform simulated$/m)
    expect(stdout).toMatch(/^ {2}passed +debug +false$/m)
    expect(stdout).toMatch(/^ {2}unchecked +tcbStatuses +none$/m)
    expect(stdout).toMatch(/^accepted by policy development$/m)
    expect(stdout).toContain('it vouches for nothing')
  })

  test('refused: exit code 1 and every reason, for programs too', async () => {
    const shown = await check('production.json', '--collateral', 'bundle.json')
    expect(shown.exitCode).toBe(1)
    expect(shown.stdout).toMatch(
      /^ {2}failed +allowUnattested +a simulated root\n +asked for: a hardware root$/m,
    )
    const { exitCode, stdout } = await check('production.json', '--json')
    const report = JSON.parse(stdout) as PolicyCheckReport
    expect([exitCode, report.status, report.reasons.map((it) => it.code)]).toEqual([
      1,
      'refused',
      ['POLICY_SIMULATED_ROOT_REFUSED', 'ATTESTATION_TIER_TOO_LOW'],
    ])
  })

  test('#12 #71 report data has to be whole, and has to be bound; without it nothing is accepted', async () => {
    const args = ['policy', 'check', 'evidence.bin', 'development.yaml', '--platform', 'simulated']
    const unbound = await run(...args, '--manifest', 'manifest.json')
    expect(unbound.exitCode).toBe(1)
    expect(unbound.stdout).toMatch(
      /^ {2}unchecked +reportData +0707070707070707…07070707 {2}\(give --report-data\)$/m,
    )
    expect(unbound.stdout).toMatch(/^not accepted, although nothing is wrong: .* by policy development$/m)
    expect((await run(...args, '--report-data', '')).exitCode).toBe(2)
    expect((await run(...args, '--report-data', '00')).exitCode).toBe(2)
    const other = await run(...args, '--report-data', '00'.repeat(64), '--json')
    const report = JSON.parse(other.stdout) as PolicyCheckReport
    expect([other.exitCode, report.status]).toEqual([1, 'refused'])
    expect(report.checks[0]).toMatchObject({
      field: 'reportData',
      found: toHex(reportData),
      status: 'failed',
    })
    expect(report.reasons.map((it) => it.code)).toContain('ATTESTATION_REPORT_DATA_MISMATCH')
  })

  test('a policy is written as YAML with the sections asked for, and read back', async () => {
    const signer = generateSigningKeyPair().publicKey
    const created = await run(
      ...['policy', 'create', '--manifest', 'manifest.json', '--platform', 'simulated'],
      ...['--reference-signer', toBase64Url(signer), '-o', 'made.yaml'],
    )
    expect(created.exitCode).toBe(0)
    const shown = await run('policy', 'show', 'made.yaml', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({
      platforms: { simulated: {} },
      referenceSigners: [keyThumbprint(signer)],
    })
    const board = { ...devPolicy, platforms: { board: {} }, manifests: [{ sha384: '00'.repeat(48) }] }
    writeFileSync(file('board.yaml'), formatPolicyText(board))
    expect((await run('policy', 'show', 'board.yaml')).stdout).toContain('no reference signer is named')
    writeFileSync(file('twice.yaml'), 'version: 1\nversion: 1\n')
    const twice = await run('policy', 'show', 'twice.yaml', '--json')
    expect([twice.exitCode, JSON.parse(twice.stderr)]).toMatchObject([
      3,
      { error: { code: 'PROVIDER_POLICY_INVALID' } },
    ])
  })
})
