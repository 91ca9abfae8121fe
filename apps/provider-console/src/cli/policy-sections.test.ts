// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@mlcapsule/crypto/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testManifest } from '../../test-support/fake-enclave.ts'
import { runCli } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { parseRule } from '../attestation/section-rules.ts'

const dir = sharedTempDir()
const file = (name: string) => join(dir.path, name)
const create = (name: string, ...more: string[]) =>
  runCli(
    ['policy', 'create', '--manifest', 'manifest.json', '--min-tier', 'process', '-o', name, ...more],
    dir.path,
  )
const root = 'ab'.repeat(32)

beforeAll(() => writeFileSync(file('manifest.json'), JSON.stringify(testManifest)))
afterAll(() => dir.remove())

describe('a section about TPMs', () => {
  test('as it is suggested says what is to fill in, also when it is shown', async () => {
    const { exitCode, stdout } = await create('suggested.json', '--platform', 'tpm')
    const toFillIn = /^ {2}to fill in +platforms\.tpm\.ekRoots\n +platforms\.tpm\.pcrs$/m
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(toFillIn)])
    const policy = JSON.parse(readFileSync(file('suggested.json'), 'utf8')) as object
    expect(policy).toMatchObject({
      minimumTier: 'process',
      platforms: { tpm: { ekRoots: [], pcrs: {}, akNames: 'any' } },
    })
    expect((await runCli(['policy', 'show', 'suggested.json'], dir.path)).stdout).toMatch(toFillIn)
  })

  test('is filled in from the command line', async () => {
    const rules = [`tpm.ekRoots=["${root}"]`, `tpm.pcrs={"0":["${root}"]}`].flatMap((it) => ['--rule', it])
    const { exitCode, stdout } = await create('filled.json', '--platform', 'tpm', ...rules)
    expect([exitCode, stdout]).toEqual([0, expect.not.stringContaining('to fill in')])
    const policy = JSON.parse(readFileSync(file('filled.json'), 'utf8')) as object
    const tpm = { ekRoots: [root], pcrs: { 0: [root] }, akNames: 'any' }
    expect(policy).toMatchObject({ platforms: { tpm } })
  })

  test.each([
    ['a strict rule that is to stay unchecked', 'tpm.pcrs="any"', 'POLICY_INVALID'],
    ['a rule that there is not', 'tpm.color="red"', 'POLICY_INVALID'],
    ['a rule of a platform that is not named', 'nitro.pcrs={}', 'PROVIDER_OPTION_INVALID'],
    ['what is no rule', 'tpm.pcrs', 'PROVIDER_OPTION_INVALID'],
  ])('%s writes nothing', async (_what, rule, code) => {
    const { exitCode, stderr } = await create('bad.json', '--platform', 'tpm', '--rule', rule, '--json')
    expect(exitCode).not.toBe(0)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code } })
    expect(existsSync(file('bad.json'))).toBe(false)
  })
})

test.each(['', 'tpm=1', 'tpm.pcrs=', 'tpm.pcrs={', '.pcrs=1', 'tpm.__proto__=1', 'TPM.pcrs=1'])(
  '%j is no rule',
  async (text) => {
    expect(await codeOf(() => parseRule(text))).toBe('PROVIDER_OPTION_INVALID')
  },
)
