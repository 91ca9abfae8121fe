// SPDX-License-Identifier: Apache-2.0
import { sha384, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { expect, test } from 'vitest'
import { codeOf } from '../../../test/errors.ts'
import { assertEventLog, replayEvents } from './event-log.ts'

const events = ['compose', 'app'].map((text) => sha384(utf8Bytes(text)))
const zero = '00'.repeat(48)
// printf "$register$digest" | xxd -r -p | openssl dgst -sha384, twice
const afterBoth =
  '6e490bbfbd87d53d1d4119cf4b6ff0a47720e6125a33f2c18e7a591ee57c54db1633f50337ceb109dea1a0010de7a101'

test('a log is replayed from zeros, as OpenSSL hashes it', () => {
  expect(toHex(replayEvents([]))).toBe(zero)
  expect(toHex(replayEvents(events))).toBe(afterBoth)
})

test('#42 only the log of the register that is asked for, whole and in order', async () => {
  const claims = { rtmr0: zero, rtmr1: zero, rtmr2: zero, rtmr3: afterBoth }
  const mismatch = 'ATTESTATION_ENDORSEMENT_MISMATCH'
  expect(await codeOf(() => assertEventLog(claims, 'rtmr3', events))).toBe('ok')
  expect(await codeOf(() => assertEventLog(claims, 'rtmr2', []))).toBe('ok')
  expect(await codeOf(() => assertEventLog(claims, 'rtmr2', events))).toBe(mismatch)
  expect(await codeOf(() => assertEventLog(claims, 'rtmr3', events.toReversed()))).toBe(mismatch)
  expect(await codeOf(() => assertEventLog(claims, 'rtmr3', events.slice(1)))).toBe(mismatch)
  expect(await codeOf(() => assertEventLog(claims, 'rtmr3', []))).toBe(mismatch)
})

test('a digest of another size, and more events than any log has', async () => {
  const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
  expect(await codeOf(() => replayEvents([new Uint8Array(32)]))).toBe(malformed)
  expect(await codeOf(() => replayEvents([new Uint8Array(0)]))).toBe(malformed)
  expect(await codeOf(() => replayEvents(Array.from({ length: 65_537 }, () => new Uint8Array(48))))).toBe(
    malformed,
  )
})
