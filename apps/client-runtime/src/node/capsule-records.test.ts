// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm } from 'node:fs/promises'
import { encodeReceipt } from '@mlcapsule/metering'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { CapsuleRecords } from './capsule-records.ts'
import { readReceiptEntries } from './receipt-log.ts'
import { openStateDir } from './state-dir.ts'

test('receipts whose file could not be opened are kept once it can be', async () => {
  const state = await openStateDir(await temporaryFolder())
  const license = new Uint8Array(32).fill(1)
  const { receiptsPath } = state.capsule(new Uint8Array(32)).license(license)
  await mkdir(receiptsPath, { recursive: true, mode: 0o700 })
  const records = new CapsuleRecords(state.capsule(new Uint8Array(32)))
  const receipt = encodeReceipt({
    license,
    block: 1,
    index: 0,
    units: 1,
    verdict: 'pass',
    policy: 'standard',
    blind: new Uint8Array(32),
  })
  await expect(records.keepReceipts([{ receipt }])).rejects.toMatchObject({ code: 'CLIENT_FILE_NOT_WRITTEN' })
  await rm(receiptsPath, { recursive: true })
  await records.keepReceipts([{ receipt }])
  await records.close()
  expect(await readReceiptEntries(receiptsPath)).toEqual([{ receipt }])
})
