// SPDX-License-Identifier: Apache-2.0
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { openReceiptLog, readReceiptLines } from './receipt-log.ts'

const code = (code: string) => expect.objectContaining({ code })
async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readReceiptLines(path)) lines.push(line)
  return lines
}

test('lines are read back in order, also over several openings', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  const expected = Array.from({ length: 60 }, (_, i) => JSON.stringify({ i, pad: 'x'.repeat(i * 40) }))
  for (const start of [0, 20, 40]) {
    const log = await openReceiptLog(path)
    await Promise.all(expected.slice(start, start + 20).map((line) => log.append(line)))
    await log.close()
  }
  expect(await linesOf(path)).toEqual(expected)
})

test('a line is in the file when append resolves', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  const log = await openReceiptLog(path)
  const appended = [log.append('1'), log.append('2'), log.append('3')]
  await appended[0]
  expect(await readFile(path, 'utf8')).toMatch(/^1\n/)
  await Promise.all(appended)
  expect(await readFile(path, 'utf8')).toBe('1\n2\n3\n')
  await log.close()
})

test('half a line at the end is not read, and is taken off before more is added', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  await writeFile(path, '1\n2\n{"cut')
  expect(await linesOf(path)).toEqual(['1', '2'])
  const log = await openReceiptLog(path)
  await log.append('3')
  await log.close()
  expect(await linesOf(path)).toEqual(['1', '2', '3'])
})

test('nothing but half a line leaves an empty file', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  await writeFile(path, '{"cut')
  await (await openReceiptLog(path)).close()
  expect(await readFile(path, 'utf8')).toBe('')
})

test('no file has no lines; an endless line is refused', async () => {
  const folder = await temporaryFolder()
  expect(await linesOf(join(folder, 'none.jsonl'))).toEqual([])
  const path = join(folder, 'receipts.jsonl')
  await appendFile(path, `1\n${'x'.repeat(200_000)}\n`)
  await expect(linesOf(path)).rejects.toThrow(code('CLIENT_RECEIPTS_DAMAGED'))
})

test('characters of several bytes survive the borders of what is read at once', async () => {
  const path = join(await temporaryFolder(), 'receipts.jsonl')
  const lines = Array.from({ length: 100 }, (_, i) => `${'a'.repeat(i % 3)}${'€'.repeat(1200)}`)
  await writeFile(path, `${lines.join('\n')}\n`)
  expect(await linesOf(path)).toEqual(lines)
})

test('a folder that is not there gives a coded error', async () => {
  const path = join(await temporaryFolder(), 'none', 'receipts.jsonl')
  await expect(openReceiptLog(path)).rejects.toThrow(code('CLIENT_FILE_NOT_WRITTEN'))
})
