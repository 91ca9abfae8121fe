// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { GramineBehavior } from '../../../../test/devices/emulated-gramine.ts'
import { type EmulatedDevice, emulateGramine } from '../../../../test/devices/emulation.ts'
import { gramineAttester } from './index.ts'

const reportData = (fill: number) => new Uint8Array(64).fill(fill)
const bound = (quote: Uint8Array) => quote.subarray(368, 432)

describe.skipIf(process.platform === 'win32')(
  'the attester of Gramine, beside a process that plays its device',
  () => {
    let device: EmulatedDevice | undefined
    afterEach(async () => {
      await device?.end()
      device = undefined
    })
    async function start(behavior: GramineBehavior = {}) {
      device = await emulateGramine(behavior)
      return gramineAttester({ deviceDir: device.folder })
    }

    test('gives the quote over the report data, as the device made it', async () => {
      const attester = await start()
      const { platform, bytes } = await attester.produce(reportData(7))
      expect(platform).toBe('sgx')
      expect(bytes).toHaveLength(500)
      expect(bound(bytes)).toEqual(reportData(7))
      // The device's first.
      expect(bytes.at(-1)).toBe(1)
    })

    test('serves one call after another, whichever attester of the process is asked', async () => {
      const attester = await start()
      const other = gramineAttester({ deviceDir: (device as EmulatedDevice).folder })
      const fills = [1, 2, 3, 4, 5, 6]
      const made = await Promise.all(fills.map((it) => (it % 2 ? attester : other).produce(reportData(it))))
      expect(made.map(({ bytes }) => bound(bytes)[0])).toEqual(fills)
      // None had to be asked for twice.
      expect(made.map(({ bytes }) => bytes.at(-1))).toEqual(fills)
    })

    test('binds what the report data was when it was asked', async () => {
      const attester = await start()
      const given = reportData(1)
      const made = attester.produce(given)
      given.fill(2)
      expect(bound((await made).bytes)).toEqual(reportData(1))
    })

    test('asks anew where another thread wrote in between, three times at most', async () => {
      const attester = await start({ raceCount: 2 })
      const { bytes } = await attester.produce(reportData(7))
      expect(bound(bytes)).toEqual(reportData(7))
      expect(bytes.at(-1)).toBe(3)
      await device?.end()
      const crowded = await start({ raceCount: 3 })
      await expect(crowded.produce(reportData(7))).rejects.toMatchObject({
        code: 'ATTESTATION_DEVICE_CONTENDED',
      })
      // The next call is not held up by the one that failed.
      expect((await crowded.produce(reportData(8))).bytes.at(-1)).toBe(4)
    })

    test.each<[string, GramineBehavior, string]>([
      ['an enclave without attestation', { type: 'none' }, 'ATTESTATION_DEVICE_UNAVAILABLE'],
      ['EPID', { type: 'epid' }, 'ATTESTATION_DEVICE_UNAVAILABLE'],
      ['a type longer than any', { type: 'd'.repeat(65) }, 'ATTESTATION_DEVICE_UNAVAILABLE'],
      ['a quote that is too short to bind anything', { quoteSizeBytes: 431 }, 'ATTESTATION_DEVICE_FAILED'],
      ['a quote larger than evidence may be', { quoteSizeBytes: 32_769 }, 'ATTESTATION_DEVICE_FAILED'],
    ])('refuses %s', async (_what, behavior, code) => {
      const attester = await start(behavior)
      await expect(attester.produce(reportData(7))).rejects.toMatchObject({ code })
    })

    test('takes the largest quote that evidence may hold', async () => {
      const attester = await start({ quoteSizeBytes: 32_768 })
      expect((await attester.produce(reportData(7))).bytes).toHaveLength(32_768)
    })
  },
)

describe('the attester of Gramine, without a device', () => {
  test.each([0, 63, 65])('refuses report data of %i bytes before it asks', async (sizeBytes) => {
    await expect(gramineAttester().produce(new Uint8Array(sizeBytes))).rejects.toMatchObject({
      code: 'ATTESTATION_CLAIMS_INVALID',
    })
  })

  test('says so, also where the device is a part only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-no-device-'))
    const attester = (name: string) => gramineAttester({ deviceDir: join(folder, name) })
    try {
      mkdirSync(join(folder, 'empty'))
      symlinkSync(folder, join(folder, 'loop'))
      for (const name of ['absent', 'empty', 'loop']) {
        await expect(attester(name).produce(reportData(7))).rejects.toMatchObject({
          code: 'ATTESTATION_DEVICE_UNAVAILABLE',
        })
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
