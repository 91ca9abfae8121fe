// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAttestationError } from '../../../test/errors.ts'
import { snpReport, snpTable, tableGuids } from '../../../test/sev-snp.ts'
import { parseCertificateTable } from './certificate-table.ts'
import { parseSevSnpEvidence } from './index.ts'

const numRuns = process.env.SLOW === '1' ? 500_000 : 2_000

/** Whether it was read; stops at what is refused without a code. */
function reads(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (!isAttestationError(error)) throw error
    return false
  }
}

test('changed reports and any bytes behind them are read or refused with a code', () => {
  const report = snpReport({ product: 'Milan', kind: 'vcek' })
  expect(reads(() => parseSevSnpEvidence(report))).toBe(true)
  const edit = fc.record({ at: fc.nat(report.length - 1), value: fc.nat(255), rest: fc.uint8Array() })
  const property = fc.property(edit, ({ at, value, rest }) => {
    const changed = concatBytes(report, rest)
    changed[at] = value
    reads(() => parseSevSnpEvidence(changed))
  })
  fc.assert(property, { numRuns })
})

test('tables with any numbers in their entries are read or refused with a code', () => {
  const anyNumber = fc.oneof(fc.nat(200), fc.nat(0xffff_ffff), fc.constantFrom(0, 0x7fff_ffff, 0xffff_ffff))
  const entry = fc.record({
    which: fc.constantFrom(...Object.values(tableGuids)),
    at: anyNumber,
    size: anyNumber,
  })
  const property = fc.property(fc.array(entry, { maxLength: 20 }), fc.uint8Array(), (entries, body) => {
    const table = concatBytes(snpTable(entries.map(({ which }) => [which, new Uint8Array(0)])), body)
    const view = new DataView(table.buffer)
    for (const [i, { at, size }] of entries.entries()) {
      view.setUint32(24 * i + 16, at, true)
      view.setUint32(24 * i + 20, size, true)
    }
    const isRead = reads(() => parseCertificateTable(table))
    const hasBodies = entries.some(({ size }) => size > body.length)
    if (hasBodies) expect(isRead).toBe(false)
  })
  fc.assert(property, { numRuns })
})
