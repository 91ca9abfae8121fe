// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toHex, utf8Bytes } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { collateralMaxSizeBytes } from '../names.ts'
import { amdFetcher } from './amd.ts'
import { fetchCollateral, vendorFetcher } from './fetcher.ts'
import { intelFetcher } from './intel.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const handlers = new Map<string, Handler>()
const asked: string[] = []
let server: Server
let baseUrl = ''

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const handler = handlers.get(request.url ?? '')
    if (handler === undefined) response.writeHead(404).end('no such thing')
    else handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
afterEach(() => {
  handlers.clear()
  asked.length = 0
})

const answers = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  handlers.set(path, (_request, response) => response.writeHead(200, headers).end(body))
const options = (more = {}) => ({ baseUrl, fetch: globalThis.fetch, timeoutMs: 5000, ...more })
const chain = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'

describe('intelFetcher', () => {
  test.each([
    ['sgx', 'tcb/00906ea10000', '/sgx/certification/v4/tcb?fmspc=00906ea10000', 'TCB-Info-Issuer-Chain'],
    ['tdx', 'tcb/00806f050000', '/tdx/certification/v4/tcb?fmspc=00806f050000', 'TCB-Info-Issuer-Chain'],
    ['sgx', 'qe-identity', '/sgx/certification/v4/qe/identity', 'SGX-Enclave-Identity-Issuer-Chain'],
    ['tdx', 'qe-identity', '/tdx/certification/v4/qe/identity', 'SGX-Enclave-Identity-Issuer-Chain'],
  ])('%s %s: body and decoded header of one answer', async (tee, what, path, header) => {
    const body = '{"tcbInfo":{"b":1, "a":2},"signature":"00"}'
    answers(path, body, { [header]: encodeURIComponent(chain) })
    const name = `intel/${tee}/${what}`
    const items = await fetchCollateral(intelFetcher(options()), [[name, `${name}/issuer-chain`]])
    expect(items).toEqual(
      new Map([
        [name, utf8Bytes(body)],
        [`${name}/issuer-chain`, utf8Bytes(chain)],
      ]),
    )
    expect(asked).toEqual([path])
  })

  test('lists of revoked certificates, as DER or as hex', async () => {
    const crl = Uint8Array.of(0x30, 3, 1, 2, 3)
    answers('/sgx/certification/v4/pckcrl?ca=processor&encoding=der', crl)
    answers('/sgx/certification/v4/pckcrl?ca=platform&encoding=der', `${toHex(crl).toUpperCase()}\n`)
    answers('/sgx/certification/v4/rootcacrl', toHex(crl))
    answers('/elsewhere.der', crl)
    const fetcher = intelFetcher(options())
    expect(await fetcher.fetch('intel/pck-crl/processor')).toEqual(crl)
    expect(await fetcher.fetch('intel/pck-crl/platform')).toEqual(crl)
    expect(await fetcher.fetch('intel/root-crl')).toEqual(crl)
    const other = intelFetcher(options({ rootCrlUrl: `${baseUrl}/elsewhere.der` }))
    expect(await other.fetch('intel/root-crl')).toEqual(crl)
    answers('/elsewhere.der', 'not a list')
    const again = intelFetcher(options({ rootCrlUrl: `${baseUrl}/elsewhere.der` }))
    expect(await codeOf(() => again.fetch('intel/root-crl'))).toBe('ATTESTATION_COLLATERAL_INVALID')
  })

  test('an answer without its chain, or with one that is not encoded, is refused', async () => {
    const path = '/sgx/certification/v4/qe/identity'
    const fetch = () => intelFetcher(options()).fetch('intel/sgx/qe-identity/issuer-chain')
    answers(path, '{}')
    expect(await codeOf(fetch)).toBe('ATTESTATION_COLLATERAL_INVALID')
    answers(path, '{}', { 'SGX-Enclave-Identity-Issuer-Chain': '%zz' })
    expect(await codeOf(fetch)).toBe('ATTESTATION_COLLATERAL_INVALID')
  })

  test('a base with a path keeps it', async () => {
    answers('/pccs/sgx/certification/v4/qe/identity', '{}')
    const fetcher = intelFetcher(options({ baseUrl: `${baseUrl}/pccs/` }))
    expect(await fetcher.fetch('intel/sgx/qe-identity')).toEqual(utf8Bytes('{}'))
  })
})

describe('amdFetcher', () => {
  const chipId = 'ab'.repeat(64)

  test('the bytes of TCB_VERSION become the parts of the query, Turin has its own order', async () => {
    const milan = `/vcek/v1/Milan/${chipId}?blSPL=4&teeSPL=1&snpSPL=24&ucodeSPL=219`
    const turin = `/vcek/v1/Turin/${'ab'.repeat(8)}?fmcSPL=4&blSPL=1&teeSPL=2&snpSPL=3&ucodeSPL=219`
    answers(milan, 'milan')
    answers(turin, 'turin')
    const fetcher = amdFetcher(options())
    expect(await fetcher.fetch(`amd/vcek/Milan/${chipId}/db18000000000104`)).toEqual(utf8Bytes('milan'))
    expect(
      await fetcher.fetch(`amd/vcek/Turin/${'ab'.repeat(8)}${'00'.repeat(56)}/db00000003020104`),
    ).toEqual(utf8Bytes('turin'))
  })

  test.each([
    ['amd/chain/vcek/Genoa', '/vcek/v1/Genoa/cert_chain'],
    ['amd/chain/vlek/Milan', '/vlek/v1/Milan/cert_chain'],
    ['amd/crl/vcek/Turin', '/vcek/v1/Turin/crl'],
    ['amd/crl/vlek/Milan', '/vlek/v1/Milan/crl'],
  ])('%s', async (name, path) => {
    answers(path, name)
    expect(await amdFetcher(options()).fetch(name)).toEqual(utf8Bytes(name))
  })
})

describe('failures', () => {
  const name = 'amd/crl/vcek/Milan'
  const path = '/vcek/v1/Milan/crl'
  const code = (more = {}) => codeOf(() => amdFetcher(options(more)).fetch(name))

  test('#76 every failure to fetch is an error, never an empty answer', async () => {
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    answers(path, '')
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    for (const status of [204, 206, 304, 429, 500]) {
      handlers.set(path, (_request, response) => response.writeHead(status).end())
      expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    }
    handlers.set(path, (request) => request.socket.destroy())
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    handlers.set(path, (request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half')
      setImmediate(() => request.socket.destroy())
    })
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
  })

  test('#76 no redirection is followed', async () => {
    answers('/other', 'elsewhere')
    handlers.set(path, (_request, response) => response.writeHead(302, { location: '/other' }).end())
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    expect(asked).toEqual([path])
  })

  test('#80 an answer that does not end, or never comes, is cut off', async () => {
    const chunk = new Uint8Array(65_536)
    let sentSizeBytes = 0
    handlers.set(path, (_request, response) => {
      response.writeHead(200)
      const more = (): void => {
        if (response.destroyed) return
        sentSizeBytes += chunk.length
        response.write(chunk, more)
      }
      more()
    })
    expect(await code()).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    expect(sentSizeBytes).toBeGreaterThan(collateralMaxSizeBytes)
    handlers.set(path, () => undefined)
    expect(await code({ timeoutMs: 50 })).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    handlers.set(path, (_request, response) => response.writeHead(200).write('half'))
    expect(await code({ timeoutMs: 50 })).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
  })

  test('the largest answer is taken whole', async () => {
    answers(path, new Uint8Array(collateralMaxSizeBytes).fill(7))
    expect((await amdFetcher(options()).fetch(name)).length).toBe(collateralMaxSizeBytes)
  })

  test('a failed answer is asked for again, an answer is not', async () => {
    const fetcher = amdFetcher(options())
    expect(await codeOf(() => fetcher.fetch(name))).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
    answers(path, 'now')
    expect(await fetcher.fetch(name)).toEqual(utf8Bytes('now'))
    await fetcher.fetch(name)
    expect(asked).toEqual([path, path])
  })

  test('#76 of several names all are gotten, or none', async () => {
    answers(path, 'one')
    const fetch = () => fetchCollateral(amdFetcher(options()), [[name, 'amd/crl/vlek/Milan']])
    expect(await codeOf(fetch)).toBe('ATTESTATION_COLLATERAL_UNAVAILABLE')
  })

  test('of several sets the first is gotten that is there whole, else it says why the first is not', async () => {
    const genoa = 'amd/crl/vcek/Genoa'
    const sets = [[name, 'amd/chain/vcek/Milan'], [genoa]]
    const fetch = () => fetchCollateral(amdFetcher(options()), sets)
    answers(path, 'one')
    await expect(fetch()).rejects.toMatchObject({
      code: 'ATTESTATION_COLLATERAL_UNAVAILABLE',
      message: expect.stringContaining('amd/chain/vcek/Milan'),
    })
    answers('/vcek/v1/Genoa/crl', 'two')
    expect(await fetch()).toEqual(new Map([[genoa, utf8Bytes('two')]]))
    answers('/vcek/v1/Milan/cert_chain', 'chain')
    expect([...(await fetch()).keys()]).toEqual(sets[0])
    expect(await fetchCollateral(amdFetcher(options()), [[]])).toEqual(new Map())
  })

  test.each([
    'intel/root-crl/extra',
    'intel/sgx/tcb/00906EA10000',
    'intel/sgx/tcb/0090',
    'intel/pck-crl/other',
    'amd/vcek/Naples/00/00',
    'amd/crl/vcek/Milan/..',
    'nvidia/x',
    '__proto__',
    '',
  ])('%j is no name that anyone has an address for', async (unknown) => {
    const fetcher = vendorFetcher({ intel: intelFetcher(options()), amd: amdFetcher(options()) })
    expect(await codeOf(() => fetcher.fetch(unknown))).toBe('ATTESTATION_COLLATERAL_MISSING')
    expect(asked).toEqual([])
  })

  test('#79 messages do not name the chip', async () => {
    const fetcher = vendorFetcher({ amd: amdFetcher(options()) })
    const failed = fetcher.fetch(`amd/vcek/Milan/${'ab'.repeat(64)}/db18000000000104`)
    await expect(failed).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('abab') }),
    )
  })
})
