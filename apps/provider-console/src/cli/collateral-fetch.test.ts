// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type MadeEvidence, makeEvidence } from '@mlcapsule/attestation/testing'
import { cryptoReady } from '@mlcapsule/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'

const dir = sharedTempDir()
/** What the vendors' services answer, by path: a body, and headers. */
const answers = new Map<string, { readonly body: Uint8Array; readonly headers?: Record<string, string> }>()
let server: Server
let baseUrl = ''
let sgx: MadeEvidence
let snp: MadeEvidence

beforeAll(async () => {
  await cryptoReady()
  ;[sgx, , snp] = (await makeEvidence()) as [MadeEvidence, MadeEvidence, MadeEvidence]
  writeFileSync(join(dir.path, 'quote.bin'), sgx.bytes)
  writeFileSync(join(dir.path, 'report.bin'), snp.bytes)
  // Version 2 does not say of which product it is.
  const older = snp.bytes.slice()
  older.set([2], 0)
  older.fill(0, 392, 395)
  writeFileSync(join(dir.path, 'older.bin'), older)
  server = createServer((request, response) => {
    const answer = answers.get((request.url ?? '').replace(/\?blSPL.*/, ''))
    if (answer === undefined) response.writeHead(404).end()
    else response.writeHead(200, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  return dir.remove()
})
beforeEach(() => {
  answers.clear()
  const item = (name: string) => sgx.collateral.get(name) as Uint8Array
  const chainOf = (name: string) => encodeURIComponent(new TextDecoder().decode(item(`${name}/issuer-chain`)))
  const [tcb = ''] = [...sgx.collateral.keys()].filter((it) => /\/tcb\/[^/]+$/.test(it))
  answers.set(`/sgx/certification/v4/tcb?fmspc=${tcb.split('/').at(-1)}`, {
    body: item(tcb),
    headers: { 'TCB-Info-Issuer-Chain': chainOf(tcb) },
  })
  answers.set('/sgx/certification/v4/qe/identity', {
    body: item('intel/sgx/qe-identity'),
    headers: { 'SGX-Enclave-Identity-Issuer-Chain': chainOf('intel/sgx/qe-identity') },
  })
  answers.set('/sgx/certification/v4/pckcrl?ca=platform&encoding=der', {
    body: item('intel/pck-crl/platform'),
  })
  answers.set('/sgx/certification/v4/rootcacrl', { body: item('intel/root-crl') })
  for (const [name, body] of snp.collateral) {
    const [, what, kind, product] = name.split('/')
    if (what === 'vcek') answers.set(`/vcek/v1/${kind}/${product}`, { body })
    else answers.set(`/${kind}/v1/${product}/${what === 'chain' ? 'cert_chain' : 'crl'}`, { body })
  }
})

interface Output {
  readonly exitCode: number | null
  readonly items: readonly { readonly name: string; readonly status?: string; readonly detail?: string }[]
  readonly code: string | null
}

async function run(store: string, ...args: string[]): Promise<Output> {
  const sources = ['show', 'export'].includes(args[0] ?? '') ? [] : ['--pccs', baseUrl, '--kds', baseUrl]
  const all = ['collateral', ...args, ...sources, '--store', store, '--json']
  const { exitCode, stdout, stderr } = await runCli(all, dir.path)
  const items = stdout === '' ? [] : (JSON.parse(stdout) as Pick<Output, 'items'>).items
  const code = stderr === '' ? null : (JSON.parse(stderr) as { error: { code: string } }).error.code
  return { exitCode, items, code }
}
const names = async (store: string) => (await run(store, 'show')).items.map(({ name }) => name)

describe('collateral fetch', () => {
  test('gets all that a quote needs from a caching service', async () => {
    expect(await run('intel', 'fetch', 'quote.bin')).toMatchObject({ exitCode: 0, code: null })
    expect(await names('intel')).toEqual([...sgx.collateral.keys()].toSorted())
  })

  test('finds out the product of a report that does not say it', async () => {
    for (const file of ['report.bin', 'older.bin']) {
      expect(await run(`of-${file}`, 'fetch', file)).toMatchObject({ exitCode: 0, code: null })
      expect(await names(`of-${file}`)).toEqual([...snp.collateral.keys()].toSorted())
    }
  })

  test('#76 takes in nothing where one part cannot be gotten', async () => {
    answers.delete('/sgx/certification/v4/rootcacrl')
    expect(await run('failed', 'fetch', 'quote.bin')).toEqual({
      exitCode: 5,
      items: [],
      code: 'ATTESTATION_COLLATERAL_UNAVAILABLE',
    })
    expect(await names('failed')).toEqual([])
  })

  test('a source that is no address is refused', async () => {
    const { exitCode } = await runCli(['collateral', 'fetch', 'quote.bin', '--kds', 'file:///etc'], dir.path)
    expect(exitCode).toBe(2)
  })
})

describe('collateral refresh', () => {
  const statuses = ({ items }: Output) => Object.fromEntries(items.map(({ name, status }) => [name, status]))

  test('renews what has changed, and keeps what cannot be gotten', async () => {
    await run('fresh', 'fetch', 'report.bin')
    const [leaf, chain, list] = ['vcek', 'chain', 'crl'].map((what) =>
      [...snp.collateral.keys()].find((it) => it.startsWith(`amd/${what}/`)),
    ) as [string, string, string]
    const same = await run('fresh', 'refresh')
    expect([same.exitCode, statuses(same)]).toEqual([0, { [leaf]: 'same', [chain]: 'same', [list]: 'same' }])

    answers.set('/vcek/v1/Genoa/crl', { body: Uint8Array.of(0x30, 1, 2) })
    answers.delete('/vcek/v1/Genoa/cert_chain')
    answers.delete(`/${leaf.split('/').slice(1, 4).join('/').replace('vcek/', 'vcek/v1/')}`)
    const changed = await run('fresh', 'refresh')
    expect([changed.exitCode, statuses(changed)]).toEqual([
      1,
      { [leaf]: 'same', [chain]: 'failed', [list]: 'renewed' },
    ])
    expect(changed.items.find(({ name }) => name === chain)?.detail).toContain('404')
    const shown = (await run('fresh', 'show')).items
    expect(shown).toContainEqual({ name: list, sizeBytes: 3 })
    expect(shown).toContainEqual({ name: chain, sizeBytes: snp.collateral.get(chain)?.length })
  })

  test('of nothing renews nothing', async () => {
    expect(await run('empty', 'refresh')).toEqual({ exitCode: 0, items: [], code: null })
  })
})
