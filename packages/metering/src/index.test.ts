// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as metering from './index.ts'
import * as node from './node/index.ts'

test('the public surface is this list', () => {
  expect(Object.keys(metering).sort()).toMatchInlineSnapshot(`
    [
      "Ledger",
      "MeteringError",
      "assertLicenseBinding",
      "assertLicenseTime",
      "blockedBucket",
      "closingTyp",
      "decodeReceipt",
      "decodeStored",
      "defenseStateMaxSizeBytes",
      "deriveLedgerKey",
      "encodeReceipt",
      "encodeReceiptLine",
      "encodeStored",
      "extendedAnchor",
      "genesisHead",
      "issueLicense",
      "ledgerIdOf",
      "licenseTyp",
      "maxBlockUnits",
      "maxDefenseCount",
      "maxUnits",
      "memoryRecordStore",
      "meteringErrorTable",
      "minStatementEvery",
      "nextHead",
      "openRecord",
      "parseReceiptLog",
      "readStatement",
      "recordHash",
      "recordMaxSizeBytes",
      "sealRecord",
      "statementTyp",
      "surchargeStep",
      "verdicts",
      "verifyClosing",
      "verifyLicense",
      "verifyReceiptChain",
      "verifyStatement",
      "volatileAnchor",
    ]
  `)
  expect(Object.keys(node).sort()).toMatchInlineSnapshot(`
    [
      "fileAnchor",
      "fileRecordStore",
    ]
  `)
})
