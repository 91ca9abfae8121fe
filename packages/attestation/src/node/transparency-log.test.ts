// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signJws,
  toBase64Url,
  utf8Bytes,
} from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nowMs } from '../../test/world.ts'
import { signReference } from '../reference/reference-value.ts'
import {
  checkLogProof,
  decodeLogProof,
  encodeLogProof,
  type LogProof,
  treeHeadTyp,
} from '../transparency/index.ts'
import { openTransparencyLog, type TransparencyLog } from './transparency-log.ts'

let folder = ''
let dir = ''
let key: SigningKeyPair
let logs: string[] = []
let tokens: string[] = []
let log: TransparencyLog

beforeEach(async () => {
  await cryptoReady()
  folder = await mkdtemp(join(tmpdir(), 'mlcapsule-log-'))
  dir = join(folder, 'log')
  key = generateSigningKeyPair(seeded('log'))
  logs = [keyThumbprint(key.publicKey)]
  const signer = generateSigningKeyPair(seeded('reference signer'))
  tokens = await Promise.all(
    [0, 1, 2, 3, 4].map((it) =>
      signReference({
        signer,
        release: `runtime-${it}`,
        platform: 'tdx',
        measurement: { mrTd: 'ab'.repeat(48) },
        manifest: 'cd'.repeat(48),
      }),
    ),
  )
  log = await openTransparencyLog(dir, key)
})
afterEach(async () => {
  log.close()
  await rm(folder, { recursive: true })
})

const token = (at: number) => tokens[at] as string
async function reopen(): Promise<TransparencyLog> {
  log.close()
  log = await openTransparencyLog(dir, key)
  return log
}
const check = (entry: string, proof: LogProof, knownHead: string | null = null) =>
  checkLogProof({ entry, proof: decodeLogProof(utf8Bytes(encodeLogProof(proof))), logs, knownHead })

describe('the log', () => {
  test('grows, each entry once, and is the same after it was closed', async () => {
    expect([log.head, log.entries]).toEqual([null, []])
    const first = await log.append([token(0), token(1), token(0)], nowMs)
    expect(first).toMatchObject({ count: 2, log: logs[0], signedAtMs: nowMs })
    expect(await log.append([token(1)], nowMs + 5000)).toEqual(first)
    const second = await log.append([token(2)], nowMs + 5000)
    expect(second.count).toBe(3)
    await reopen()
    expect([log.head, log.entries]).toEqual([second, tokens.slice(0, 3)])
  })

  test('#77 an entry is shown to be in it, also from a head that is known', async () => {
    const known = await log.append(tokens.slice(0, 3), nowMs)
    expect(await check(token(1), await log.prove(token(1)))).toEqual(known)
    const newest = await log.append(tokens, nowMs + 5000)
    const proof = await log.prove(token(4), known.token)
    expect(await check(token(4), proof, known.token)).toEqual(newest)
    expect(await check(token(4), await log.prove(token(4), newest.token), newest.token)).toEqual(newest)
    const invalid = 'TRANSPARENCY_PROOF_INVALID'
    expect(await codeOf(() => check(token(3), proof))).toBe(invalid)
    expect(await codeOf(async () => check(token(4), await log.prove(token(4)), known.token))).toBe(invalid)
    // An older head than the one that is known: the log would take an entry back.
    expect(await codeOf(async () => check(token(1), { ...proof, head: known.token }, newest.token))).toBe(
      invalid,
    )
  })

  test('#77 a second history for one reader is found out by the head that it knows', async () => {
    const known = await log.append(tokens.slice(0, 3), nowMs)
    const other = await openTransparencyLog(join(folder, 'other'), key)
    await other.append([token(4), token(1), token(2), token(3)], nowMs)
    expect(await codeOf(() => other.prove(token(4), known.token))).toBe('TRANSPARENCY_HEAD_INVALID')
    const forked = await other.prove(token(4))
    expect(await check(token(4), forked)).toMatchObject({ count: 4 })
    const since = { head: known.token, path: (await log.prove(token(1), known.token)).path }
    expect(await codeOf(() => check(token(4), { ...forked, since }, known.token))).toBe(
      'TRANSPARENCY_PROOF_INVALID',
    )
    other.close()
  })

  test('a head by another key, or of another form, is refused', async () => {
    await log.append(tokens, nowMs)
    const proof = await log.prove(token(0))
    expect(await codeOf(() => checkLogProof({ entry: token(0), proof, logs: [], knownHead: null }))).toBe(
      'TRANSPARENCY_HEAD_INVALID',
    )
    for (const changes of [{ count: 0 }, { root: 'ab' }, { note: 1 }, { version: 2 }]) {
      const claims = { iss: toBase64Url(key.publicKey), version: 1, count: 1, root: '00'.repeat(32), iat: 0 }
      const head = await signJws({ ...key, typ: treeHeadTyp, payload: { ...claims, ...changes } })
      expect(await codeOf(() => check(token(0), { ...proof, head }))).toBe('TRANSPARENCY_HEAD_INVALID')
    }
    const reference = await codeOf(() => check(token(0), { ...proof, head: token(0) }))
    expect(reference).toBe('JWS_TYPE_MISMATCH')
  })

  test('what is no token, not there, or nothing at all is refused', async () => {
    const code = 'TRANSPARENCY_ENTRY_UNKNOWN'
    expect(await codeOf(() => log.append([], nowMs))).toBe(code)
    expect(await codeOf(() => log.append(['a\nb.c.d'], nowMs))).toBe(code)
    expect(await codeOf(() => log.prove(token(0)))).toBe(code)
    await log.append([token(0)], nowMs)
    expect(await codeOf(() => log.prove(token(1)))).toBe(code)
  })
})

describe('its files', () => {
  const entries = () => join(dir, 'entries')
  const unusable = 'ATTESTATION_FILES_UNUSABLE'

  test('one process has it', async () => {
    expect(await codeOf(() => openTransparencyLog(dir, key))).toBe(unusable)
  })

  test('a line that was not written whole is dropped; a whole one without a head is taken up', async () => {
    await log.append([token(0)], nowMs)
    await appendFile(entries(), `${token(1)}\n${token(2).slice(0, 50)}`)
    await reopen()
    expect([log.head?.count, log.entries]).toEqual([1, tokens.slice(0, 2)])
    expect(await codeOf(() => log.prove(token(1)))).toBe('TRANSPARENCY_ENTRY_UNKNOWN')
    expect((await log.append([token(3)], nowMs)).count).toBe(3)
    await reopen()
    expect(log.entries).toEqual([token(0), token(1), token(3)])
  })

  test.each<[string, () => Promise<void>]>([
    ['an entry that was changed', async () => writeFile(entries(), `${token(1)}\n${token(1)}\n`)],
    ['an entry that was taken out', async () => truncate(entries(), token(0).length + 1)],
    ['entries that are gone', async () => rm(entries())],
    ['a line that is no token', async () => appendFile(entries(), 'x\n')],
    ['a head that was changed', async () => writeFile(join(dir, 'head'), `${token(0)}\n`)],
  ])('%s is an error', async (_what, change) => {
    await log.append([token(0), token(1)], nowMs)
    log.close()
    await change()
    expect(await codeOf(() => openTransparencyLog(dir, key))).toBe(unusable)
  })

  test('another key does not open it', async () => {
    await log.append([token(0)], nowMs)
    log.close()
    const other = generateSigningKeyPair(seeded('another log'))
    expect(await codeOf(() => openTransparencyLog(dir, other))).toBe(unusable)
    expect(await readFile(entries(), 'utf8')).toBe(`${token(0)}\n`)
  })
})

describe('proofs as files', () => {
  const proof: LogProof = { head: 'a.b.c', index: 1, path: [new Uint8Array(32)], since: null }
  const text = encodeLogProof(proof)

  test.each([
    ['no JSON', '{'],
    ['an unknown member', text.replace('"index"', '"note": 1, "index"')],
    ['another version', text.replace('1,', '2,')],
    ['a place that is none', text.replace('"index": 1', '"index": -1')],
    ['a hash of another size', text.replace('0000', '00')],
    [
      'a path that is too long',
      encodeLogProof({ ...proof, path: Array.from({ length: 34 }, () => new Uint8Array(32)) }),
    ],
    ['more than fits', `${text}${' '.repeat(262_144)}`],
  ])('#80 refuses %s', async (_what, changed) => {
    expect(await codeOf(() => decodeLogProof(utf8Bytes(changed)))).toBe('TRANSPARENCY_PROOF_INVALID')
  })

  test('come back as they were', () => {
    const since = { head: 'd.e.f', path: [new Uint8Array(32).fill(1)] }
    for (const it of [proof, { ...proof, since }])
      expect(decodeLogProof(utf8Bytes(encodeLogProof(it)))).toEqual(it)
  })
})
