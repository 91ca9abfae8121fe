// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAddon } from '@mlcapsule/contracts/node'
import { encodeCbor, toHex } from '@mlcapsule/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPreload, missingForPreload, produceInProcess } from '../../../../test/devices/emulation.ts'
import type { Produced } from '../../../../test/devices/produce.ts'
import { nitroAttester } from './index.ts'
import { attestationRequest } from './messages.ts'

const packageRoot = join(import.meta.dirname, '../../../..')
const reportData = new Uint8Array(64).map((_, i) => i + 1)
const answerWith = (sizeBytes: number) =>
  encodeCbor({ Attestation: { document: new Uint8Array(sizeBytes).fill(0xdd) } })
/** Of what is around the document. */
const wrapSizeBytes = answerWith(10_000).length - 10_000
const responseMaxSizeBytes = 0x3000

const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-nsm-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const addon = buildAddon({
  packageRoot,
  source: 'native/nsm.c',
  name: 'mlcapsule-nsm.node',
  outputFolder: folder,
})
const reason = addon.status === 'skipped' ? `skipped: ${addon.reason}` : missingForPreload()

describe.skipIf(reason !== null)(`the attester of Nitro${reason === null ? '' : ` (${reason})`}`, () => {
  const addonPath = addon.status === 'built' ? addon.path : ''
  const devicePath = join(folder, 'nsm')
  const requestPath = join(folder, 'request')
  let preload: string
  beforeAll(() => {
    preload = buildPreload(folder)
  })

  function produce(answer: Uint8Array, env: Record<string, string> = {}): Promise<Produced> {
    writeFileSync(devicePath, answer)
    rmSync(requestPath, { force: true })
    return produceInProcess({
      platform: 'nitro',
      options: { devicePath, addonPath },
      reportData,
      preload,
      env: { EMULATED_NSM_REQUEST: requestPath, ...env },
    })
  }

  test('asks for a document over the report data, and gives it as the module made it', async () => {
    const document = new Uint8Array(5000).fill(0xdd)
    expect(await produce(answerWith(5000))).toEqual({ platform: 'nitro', hex: toHex(document) })
    expect(new Uint8Array(readFileSync(requestPath))).toEqual(attestationRequest(reportData))
  })

  test('takes an answer as large as the module may give, and no larger', async () => {
    const largest = answerWith(responseMaxSizeBytes - wrapSizeBytes)
    expect(largest).toHaveLength(responseMaxSizeBytes)
    expect(await produce(largest)).toMatchObject({ platform: 'nitro' })
    // The module says that it wrote more than it was given room for.
    const more = await produce(answerWith(responseMaxSizeBytes - wrapSizeBytes + 1))
    expect(more).toEqual({ code: 'ATTESTATION_DEVICE_FAILED', systemCode: 'EMSGSIZE' })
  })

  test.each([
    ['refuses', { Error: 'InternalError' }],
    ['gives no document', { Attestation: {} }],
  ])('a module that %s is told', async (_what, answer) => {
    expect(await produce(encodeCbor(answer))).toMatchObject({ code: 'ATTESTATION_DEVICE_FAILED' })
  })

  test('an empty answer is no document', async () => {
    expect(await produce(new Uint8Array(0))).toMatchObject({ code: 'ATTESTATION_DEVICE_FAILED' })
  })

  test.each([
    ['EIO', 'ATTESTATION_DEVICE_FAILED'],
    ['EACCES', 'ATTESTATION_DEVICE_UNAVAILABLE'],
    ['ENOTTY', 'ATTESTATION_DEVICE_UNAVAILABLE'],
  ] as const)('%s of the device is %s', async (systemCode, code) => {
    const env = { EMULATED_NSM_ERRNO: String(constants.errno[systemCode]) }
    expect(await produce(answerWith(10), env)).toEqual({ code, systemCode })
  })

  test('a file that is no device refuses by itself', async () => {
    writeFileSync(devicePath, '')
    await expect(nitroAttester({ devicePath, addonPath }).produce(reportData)).rejects.toMatchObject({
      code: 'ATTESTATION_DEVICE_UNAVAILABLE',
    })
  })

  test.each(['absent', 'with\0zero', 'long/'.repeat(1000)])(
    'there is no device at a path such as %j',
    async (name) => {
      const attester = nitroAttester({ devicePath: join(folder, name), addonPath })
      const code = name === 'absent' ? 'ATTESTATION_DEVICE_UNAVAILABLE' : 'ATTESTATION_DEVICE_FAILED'
      await expect(attester.produce(reportData)).rejects.toMatchObject({ code })
    },
  )
})

describe('the attester of Nitro, without its addon', () => {
  test('says that there is none, or that it does not load', async () => {
    const broken = join(folder, 'broken.node')
    writeFileSync(broken, 'no program')
    for (const addonPath of [join(folder, 'absent.node'), broken]) {
      await expect(nitroAttester({ addonPath }).produce(reportData)).rejects.toMatchObject({
        code: 'ATTESTATION_DEVICE_UNAVAILABLE',
      })
    }
  })

  test.each([0, 63, 65])('refuses report data of %i bytes before it asks', async (sizeBytes) => {
    await expect(nitroAttester().produce(new Uint8Array(sizeBytes))).rejects.toMatchObject({
      code: 'ATTESTATION_CLAIMS_INVALID',
    })
  })
})
