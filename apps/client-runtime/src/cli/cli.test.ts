// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keyThumbprint, publicKeyToJwk, toBase64Url } from '@mlcapsule/crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { createMachine } from '../../test-support/model-enclave.ts'
import { runCli } from '../../test-support/run-cli.ts'
import { createProvider, openWith, type Provider } from '../../test-support/world.ts'

let folder: string
let state: string
let provider: Provider
let publisherFile: string
beforeEach(async () => {
  folder = await temporaryFolder()
  state = join(folder, 'state')
  provider = await createProvider(folder)
  publisherFile = join(folder, 'publisher.jwk')
  await writeFile(publisherFile, publicKeyToJwk(provider.publisher.publicKey))
})

const errorOf = (stderr: string): unknown => (JSON.parse(stderr) as { error: unknown }).error

describe('mlcapsule', () => {
  test('shows its commands, and help with examples for each', async () => {
    const { stdout: help } = await runCli(state, '--help')
    for (const name of [
      'key',
      'trust',
      'inspect',
      'activate',
      'run',
      'usage',
      'verify-receipts',
      'statements',
      'tpm',
      'doctor',
    ]) {
      expect(help).toContain(`  ${name}`)
    }
    const { stdout, exitCode } = await runCli(state, 'activate', '--help')
    expect(stdout).toContain('$ mlcapsule activate model.capsule --challenge')
    expect(exitCode).toBe(0)
  })

  test('without arguments shows its help; colors are for terminals', async () => {
    const { stdout, exitCode } = await runCli(state)
    expect(stdout).toMatch(/^Usage: mlcapsule /)
    expect(stdout).not.toContain('\u001b')
    expect(exitCode).toBe(0)
  })

  test.each([
    ['an unknown command', ['fly']],
    ['an unknown option', ['key', '--loud']],
    ['a missing argument', ['run']],
    ['a number out of its range', ['run', 'a', 'b', '--top', '0']],
    ['another entry', ['usage', 'a', '--entry', 'cloud']],
    ['half of a pair', ['activate', 'a', '--challenge', 'c.jws']],
    ['two flows at once', ['activate', 'a', '--service', 'https://x.example', '--response', 'r.jws']],
  ])('%s is a wrong use', async (_what, args) => {
    const { stderr, exitCode } = await runCli(state, ...args, '--json')
    expect(errorOf(stderr)).toMatchObject({ code: 'CLIENT_ARGUMENT_INVALID' })
    expect(exitCode).toBe(2)
  })

  test('an error says what it is and what to do', async () => {
    const { stdout, stderr, exitCode } = await runCli(state, 'inspect', join(folder, 'none.capsule'))
    expect(stderr).toMatch(/^error CAPSULE_SOURCE_FAILED: .*\nwhat to do: .*\n$/)
    expect(stdout).toBe('')
    expect(exitCode).toBe(5)
  })
})

describe('key and trust', () => {
  test('the key is made once, and written for the provider', async () => {
    const file = join(folder, 'customer.jwk')
    const first = JSON.parse((await runCli(state, 'key', '--json', '-o', file)).stdout) as {
      thumbprint: string
    }
    const second = JSON.parse((await runCli(state, 'key', '--json')).stdout) as { thumbprint: string }
    expect(second.thumbprint).toBe(first.thumbprint)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ kty: 'OKP', kid: first.thumbprint })
    const again = await runCli(state, 'key', '-o', file, '--json')
    expect([errorOf(again.stderr), again.exitCode]).toMatchObject([{ code: 'CLIENT_OUTPUT_EXISTS' }, 3])
  })

  test('a pinned publisher is listed, and trusted from then on', async () => {
    const thumbprint = keyThumbprint(provider.publisher.publicKey)
    const before = JSON.parse((await runCli(state, 'inspect', provider.path, '--json')).stdout) as object
    expect(before).toMatchObject({ isPublisherTrusted: false, isVerified: false, modelName: 'Brightness' })
    await runCli(state, 'trust', publisherFile)
    expect((await runCli(state, 'trust')).stdout).toBe(`${thumbprint}\n`)
    const after = JSON.parse(
      (await runCli(state, 'inspect', provider.path, '--verify', '--json')).stdout,
    ) as object
    expect(after).toMatchObject({ isPublisherTrusted: true, isVerified: true })
  })

  test.runIf(process.platform !== 'win32')(
    'a state directory open to others is refused (POSIX)',
    async () => {
      await mkdir(state, { mode: 0o755 })
      await chmod(state, 0o755)
      const { stderr, exitCode } = await runCli(state, 'key', '--json')
      expect([errorOf(stderr), exitCode]).toMatchObject([{ code: 'CLIENT_STATE_UNSAFE' }, 5])
      expect(await readdir(state)).toEqual([])
    },
  )
})

describe('capsules', () => {
  test('of a publisher who is not trusted are not opened', async () => {
    const none = await runCli(state, 'usage', provider.path, '--json')
    expect([errorOf(none.stderr), none.exitCode]).toMatchObject([{ code: 'CLIENT_PUBLISHER_UNKNOWN' }, 2])
    const otherKey = toBase64Url((await createProvider(await temporaryFolder())).publisher.publicKey)
    const other = await runCli(state, 'inspect', provider.path, '--publisher', otherKey, '--json')
    expect([errorOf(other.stderr), other.exitCode]).toMatchObject([
      { code: 'CAPSULE_PUBLISHER_UNTRUSTED' },
      4,
    ])
  })

  test('need an enclave that was built', async () => {
    const args = [
      'usage',
      provider.path,
      '--publisher',
      publisherFile,
      '--enclave',
      join(folder, 'none'),
      '--json',
    ]
    const { stderr, exitCode } = await runCli(state, ...args)
    expect([errorOf(stderr), exitCode]).toMatchObject([{ code: 'CLIENT_ENCLAVE_MISSING' }, 5])
  })

  test('show what everybody may see', async () => {
    const { stdout } = await runCli(state, 'inspect', provider.path)
    expect(stdout).toContain('Brightness, version 1')
    expect(stdout).toContain('image float32[1, 1, 2, 2]')
    expect(stdout).toContain('not among the trusted ones')
  })
})

describe('receipts', () => {
  test('are verified and their statements sent, without an enclave', async () => {
    const { model, records } = await openWith(provider, state, createMachine())
    await model.activate({ service: provider.serviceFor(model.customerKey) })
    for (let i = 0; i < 6; i++) {
      await model.run({ dtype: 'float32', shape: [1, 1, 2, 2], data: new Float32Array(4) })
    }
    await model.close()
    const args = ['--publisher', publisherFile, '--json']
    const verified = await runCli(state, 'verify-receipts', provider.path, ...args)
    expect(JSON.parse(verified.stdout)).toMatchObject({
      licenses: [{ queryCount: 6, units: 6, unitsGranted: 20 }],
    })
    const listed = await runCli(state, 'statements', provider.path, ...args)
    expect(JSON.parse(listed.stdout)).toMatchObject({
      statements: [{ sent: false, claims: { seq: 1, units: 6 } }],
    })

    const unsent = await runCli(
      state,
      'statements',
      provider.path,
      '--send',
      '--service',
      'http://127.0.0.1:9',
      ...args,
    )
    expect([errorOf(unsent.stderr), unsent.exitCode]).toMatchObject([
      { code: 'CLIENT_SERVICE_UNREACHABLE' },
      5,
    ])

    const [kept] = await records.read()
    const path = kept?.receiptsPath ?? ''
    await writeFile(path, (await readFile(path, 'utf8')).split('\n').toSpliced(0, 1).join('\n'))
    const broken = await runCli(state, 'verify-receipts', provider.path, ...args)
    expect([errorOf(broken.stderr), broken.exitCode]).toMatchObject([{ code: 'RECEIPT_CHAIN_BROKEN' }, 4])
  })

  test('that are not there are none', async () => {
    const { stdout } = await runCli(
      state,
      'verify-receipts',
      provider.path,
      '--publisher',
      publisherFile,
      '--json',
    )
    expect(JSON.parse(stdout)).toEqual({ licenses: [] })
  })
})

test('doctor makes nothing, and ends with 5 where something is missing', async () => {
  const { stdout, exitCode } = await runCli(state, 'doctor', '--enclave', join(folder, 'none'), '--json')
  const { findings } = JSON.parse(stdout) as { findings: { check: string; status: string; code?: string }[] }
  expect(findings.map((it) => [it.check, it.status, it.code])).toEqual([
    ['Node.js', 'ok', undefined],
    ['processor', 'ok', undefined],
    ['state', 'ok', undefined],
    ['entry process', 'problem', 'CLIENT_ENCLAVE_MISSING'],
    ['entry worker', 'problem', 'CLIENT_ENCLAVE_MISSING'],
  ])
  expect(exitCode).toBe(5)
  await expect(readdir(state)).rejects.toThrow('ENOENT')
})
