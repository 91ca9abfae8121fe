// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex } from '@mlcapsule/crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { TsmBehavior } from '../../../test/devices/emulated-tsm.ts'
import {
  buildPreload,
  type EmulatedDevice,
  emulateTsm,
  missingForPreload,
  produceInProcess,
} from '../../../test/devices/emulation.ts'
import type { Produced } from '../../../test/devices/produce.ts'
import { sevSnpAttester } from '../../platforms/sev-snp/node/index.ts'
import { tdxAttester } from '../../platforms/tdx/node/index.ts'

const reportData = new Uint8Array(64).map((_, i) => i + 1)
const tdx4 = { provider: 'tdx_guest', head: '0400', reportSizeBytes: 700, reportDataOffsetBytes: 568 }
const tdx5 = { provider: 'tdx_guest', head: '0500', reportSizeBytes: 700, reportDataOffsetBytes: 574 }
const snp = {
  provider: 'sev_guest',
  reportSizeBytes: 1184,
  reportDataOffsetBytes: 0x50,
  auxblobSizeBytes: 5000,
}

const reason = missingForPreload()

describe.skipIf(reason !== null)(`reports of configfs-tsm${reason === null ? '' : ` (${reason})`}`, () => {
  let tools: string
  let preload: string
  let device: EmulatedDevice | undefined
  beforeAll(() => {
    tools = mkdtempSync(join(tmpdir(), 'mlcapsule-preload-'))
    preload = buildPreload(tools)
  })
  afterAll(() => rmSync(tools, { recursive: true, force: true }))
  afterEach(async () => {
    await device?.end()
    device = undefined
  })

  /** One report, by a process of its own, from a device that behaves so. Whatever comes of it, no folder stays behind. */
  async function produce(
    platform: 'tdx' | 'sev-snp',
    behavior: TsmBehavior,
    { options = {}, env = {} }: { options?: object; env?: Record<string, string> } = {},
  ): Promise<Produced> {
    await device?.end()
    device = await emulateTsm(behavior)
    const produced = await produceInProcess({
      platform,
      options: { reportsDir: device.folder, ...options },
      reportData,
      preload,
      env: { EMULATED_TSM_DIR: device.folder, ...env },
    })
    expect(readdirSync(device.folder)).toEqual([])
    return produced
  }
  async function evidence(...args: Parameters<typeof produce>): Promise<Uint8Array> {
    const produced = await produce(...args)
    if (!('hex' in produced)) throw new Error(produced.code)
    expect(produced.platform).toBe(args[0])
    return fromHex(produced.hex)
  }
  async function code(...args: Parameters<typeof produce>): Promise<string> {
    const produced = await produce(...args)
    return 'code' in produced ? produced.code : 'ok'
  }

  test.each([
    ['4', tdx4],
    ['5', tdx5],
  ])('a TDX quote of version %s is the outblob', async (_version, behavior) => {
    const quote = await evidence('tdx', behavior)
    expect(quote).toHaveLength(700)
    expect(quote.subarray(behavior.reportDataOffsetBytes).subarray(0, 64)).toEqual(reportData)
    expect(quote.at(-1)).toBe(1)
  })

  test('SNP evidence is the report and the certificates after it, and none where the host gives none', async () => {
    const bytes = await evidence('sev-snp', snp)
    expect(bytes).toHaveLength(1184 + 5000)
    expect(bytes.subarray(0x50, 0x90)).toEqual(reportData)
    expect(bytes.subarray(1184)).toEqual(new Uint8Array(5000).fill(0xaa))
    expect(await evidence('sev-snp', { ...snp, auxblobSizeBytes: 0 })).toHaveLength(1184)
  })

  test('a privilege level is written before, and counted', async () => {
    const bytes = await evidence('sev-snp', snp, { options: { privilegeLevel: 2 } })
    expect([...bytes.subarray(1182, 1184)]).toEqual([2, 1])
  })

  test('another writer in between shows in the generation: asked anew, five times at most', async () => {
    expect((await evidence('tdx', { ...tdx4, raceCount: 1 })).at(-1)).toBe(2)
    const last = await evidence('sev-snp', { ...snp, raceCount: 4 }, { options: { privilegeLevel: 3 } })
    expect([...last.subarray(1182, 1184)]).toEqual([3, 5])
    expect(last.subarray(0x50, 0x90)).toEqual(reportData)
    expect(await code('tdx', { ...tdx4, raceCount: 5 })).toBe('ATTESTATION_DEVICE_CONTENDED')
  })

  test("a write that was lost, with another's counted in its stead, does not pass for our own", async () => {
    expect(await code('tdx', { ...tdx4, losesWrites: true })).toBe('ATTESTATION_DEVICE_FAILED')
    expect(await code('sev-snp', { ...snp, losesWrites: true })).toBe('ATTESTATION_DEVICE_FAILED')
  })

  test.each<[string, 'tdx' | 'sev-snp', TsmBehavior, string]>([
    ['an SNP guest asked for TDX', 'tdx', snp, 'ATTESTATION_DEVICE_UNAVAILABLE'],
    ['a TDX guest asked for SNP', 'sev-snp', tdx4, 'ATTESTATION_DEVICE_UNAVAILABLE'],
    [
      'a provider whose name begins alike',
      'tdx',
      { ...tdx4, provider: 'tdx_guest2' },
      'ATTESTATION_DEVICE_UNAVAILABLE',
    ],
    ['an outblob beyond the limit', 'tdx', { ...tdx4, reportSizeBytes: 32_769 }, 'ATTESTATION_DEVICE_FAILED'],
    [
      'an auxblob beyond the limit',
      'sev-snp',
      { ...snp, auxblobSizeBytes: 32_769 },
      'ATTESTATION_DEVICE_FAILED',
    ],
    [
      'more than evidence may hold',
      'sev-snp',
      { ...snp, auxblobSizeBytes: 31_585 },
      'ATTESTATION_DEVICE_FAILED',
    ],
    ['a quote of another version', 'tdx', { ...tdx4, head: '0300' }, 'ATTESTATION_DEVICE_FAILED'],
    ['an outblob that ends early', 'tdx', { ...tdx4, reportSizeBytes: 600 }, 'ATTESTATION_DEVICE_FAILED'],
    ['a report of another size', 'sev-snp', { ...snp, reportSizeBytes: 1185 }, 'ATTESTATION_DEVICE_FAILED'],
    ['a folder that vanishes', 'tdx', { ...tdx4, vanishes: true }, 'ATTESTATION_DEVICE_FAILED'],
    ['a guest without auxblob', 'sev-snp', { ...tdx4, provider: 'sev_guest' }, 'ATTESTATION_DEVICE_FAILED'],
    ['a generation that is no number', 'tdx', { ...tdx4, generationText: '-1' }, 'ATTESTATION_DEVICE_FAILED'],
    [
      'a generation that stands still',
      'tdx',
      { ...tdx4, generationText: '7' },
      'ATTESTATION_DEVICE_CONTENDED',
    ],
  ])('refuses %s, and leaves nothing behind', async (_what, platform, behavior, expected) => {
    expect(await code(platform, behavior)).toBe(expected)
  })

  test('takes as much as evidence may hold', async () => {
    expect(await evidence('sev-snp', { ...snp, auxblobSizeBytes: 31_584 })).toHaveLength(32_768)
    expect(await evidence('tdx', { ...tdx4, reportSizeBytes: 32_768 })).toHaveLength(32_768)
  })

  test('a kernel without a provider makes no folder', async () => {
    const env = { EMULATED_MKDIR_ERRNO: String(constants.errno.ENXIO) }
    expect(await code('tdx', tdx4, { env })).toBe('ATTESTATION_DEVICE_UNAVAILABLE')
  })
})

describe('attesters of configfs-tsm without it', () => {
  const attesters = [tdxAttester, sevSnpAttester]

  test('say that there is none', async () => {
    for (const attester of attesters) {
      const made = attester({ reportsDir: join(tmpdir(), 'mlcapsule-absent') }).produce(reportData)
      await expect(made).rejects.toMatchObject({ code: 'ATTESTATION_DEVICE_UNAVAILABLE' })
    }
  })

  test.each([0, 63, 65])('refuse report data of %i bytes before they ask', async (sizeBytes) => {
    for (const attester of attesters) {
      const made = attester().produce(new Uint8Array(sizeBytes))
      await expect(made).rejects.toMatchObject({ code: 'ATTESTATION_CLAIMS_INVALID' })
    }
  })

  test.each([-1, 4, 0.5, Number.NaN])('SNP has no privilege level %d', (privilegeLevel) => {
    expect(() => sevSnpAttester({ privilegeLevel })).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_CLAIMS_INVALID' }),
    )
  })
})
