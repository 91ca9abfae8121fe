// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { systemCode } from './system-code.ts'

test('names what the operating system names, and nothing else', async () => {
  const missing: unknown = await open('/no/such/file').catch((error: unknown) => error)
  expect(systemCode(missing)).toBe('ENOENT')
  expect(systemCode(new Error('what else it says'))).toBe('unknown error')
  expect(systemCode(Object.assign(new Error(''), { code: 7 }))).toBe('unknown error')
  expect(systemCode('EACCES')).toBe('unknown error')
  expect(systemCode(undefined)).toBe('unknown error')
})
