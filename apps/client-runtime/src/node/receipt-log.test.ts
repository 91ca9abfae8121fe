// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReceiptLogEntry } from '@mlcapsule/metering'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { openReceiptLog, readReceiptEntries } from './receipt-log.ts'

const code = (code: string) => expect.objectContaining({ code })
const entry = (i: number): ReceiptLogEntry =>
  i % 4 === 3 ? { closing: `a.${'b'.repeat(i * 10)}.c` } : { receipt: Uint8Array.of(i, 1, 2) }

test('entries are read back in order, also over several openings', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  const expected = Array.from({ length: 60 }, (_, i) => entry(i))
  for (const start of [0, 20, 40]) {
    const log = await openReceiptLog(path)
    await Promise.all(expected.slice(start, start + 20).map((it) => log.append([it])))
    await log.close()
  }
  expect(await readReceiptEntries(path)).toEqual(expected)
})

test('an entry is in the file when append resolves', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  const log = await openReceiptLog(path)
  const appended = [0, 1, 2].map((i) => log.append([entry(i)]))
  await appended[0]
  expect(await readReceiptEntries(path)).toContainEqual(entry(0))
  await Promise.all(appended)
  expect(await readFile(path, 'utf8')).toBe('{"receipt":"AAEC"}\n{"receipt":"AQEC"}\n{"receipt":"AgEC"}\n')
  await log.close()
})

test('half a line at the end is not read, and is taken off before more is added', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  await writeFile(path, '{"receipt":"AAEC"}\n{"rec')
  expect(await readReceiptEntries(path)).toEqual([entry(0)])
  const log = await openReceiptLog(path)
  await log.append([entry(1)])
  await log.close()
  expect(await readReceiptEntries(path)).toEqual([entry(0), entry(1)])
})

test('nothing but half a line leaves an empty file', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  await writeFile(path, '{"cut')
  await (await openReceiptLog(path)).close()
  expect(await readFile(path, 'utf8')).toBe('')
})

test('no file has no entries; a damaged one and a missing folder have their codes', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'receipts.jsonl')
  expect(await readReceiptEntries(path)).toEqual([])
  await writeFile(path, '{"receipt":1}\n')
  await expect(readReceiptEntries(path)).rejects.toThrow(code('RECEIPT_LOG_MALFORMED'))
  await expect(openReceiptLog(join(folder, 'none', 'receipts.jsonl'))).rejects.toThrow(
    code('CLIENT_FILE_NOT_WRITTEN'),
  )
})
