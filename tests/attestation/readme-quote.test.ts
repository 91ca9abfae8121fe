// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeBundle } from '@mlcapsule/attestation/collateral'
import { expect, test } from 'vitest'
import { missing, repository, sharedDir } from '../support/shared.ts'
import { readCase } from './case.ts'
import { caseCollateral } from './cases/dcap.ts'
import { sgxKind } from './cases/sgx.ts'
import { verifyQuote } from './readme-quote.ts'

test('the README of the package shows this file', () => {
  const readme = readFileSync(join(repository, 'packages/attestation/README.md'), 'utf8')
  const shown = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code)
  const file = readFileSync(join(import.meta.dirname, 'readme-quote.ts'), 'utf8').replace(/^.*\n/, '')
  expect(shown).toContain(file.replace('export const', 'const'))
})

const skipped = missing('attestation-vectors')

test.skipIf(skipped !== null)(`a real quote is verified by it ${skipped ?? ''}`, async () => {
  const vector = readCase(join(sharedDir, 'attestation-vectors'), 'sgx/sgx-v3-606a-platform-ca')
  const quote = vector.read('quote.bin')
  const names = sgxKind.verifier.collateralNames({ platform: 'sgx', bytes: quote }).flat()
  const bundle = encodeBundle(caseCollateral(vector, names))
  const nowMs = Date.parse(vector.expected.now)
  const verified = await verifyQuote(quote, bundle, new Uint8Array(64), nowMs)
  expect(verified).toMatchObject({ tier: 'sgx', tcbStatus: 'SWHardeningNeeded', debug: false })
  expect(verified.measurement.mrEnclave).toBe(vector.expected.fields?.mrEnclave)
  await expect(verifyQuote(quote, bundle, new Uint8Array(64).fill(1), nowMs)).rejects.toMatchObject({
    code: 'ATTESTATION_REPORT_DATA_MISMATCH',
  })
})
