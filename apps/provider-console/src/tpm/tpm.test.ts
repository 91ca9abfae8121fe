// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chainNowMs, type Enrollable, makeEnrollable } from '@mlcapsule/attestation/testing'
import { verifyAkCredential } from '@mlcapsule/attestation/tpm'
import { cryptoReady, fromHex, keyThumbprint, sha256, toHex } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tempDir } from '../../test-support/temp-dir.ts'
import { platformsOf } from '../attestation/verifiers.ts'
import { makeKeys } from '../keys/keygen.ts'
import { readPublicKey } from '../keys/public-key.ts'
import { storePaths } from '../store/paths.ts'
import { issueCredential, offerEnrollment } from './enrollment.ts'
import { pendingEnrollments } from './pending.ts'
import { tpmRoots } from './roots.ts'
import { readTpmTrustStore } from './trust-store.ts'

const nowMs = chainNowMs
const dayMs = 86_400_000
let made: Enrollable
let storeDir: string
beforeAll(async () => {
  await cryptoReady()
  made = await makeEnrollable()
})
beforeEach(async () => {
  storeDir = join(tempDir(), 'store')
  await makeKeys(storeDir)
})

const trust = (...files: readonly Uint8Array[]) => tpmRoots(storeDir).trust(files, nowMs)
const offer = (changes: Partial<Parameters<typeof offerEnrollment>[1]> = {}) =>
  offerEnrollment(storeDir, {
    request: made.request,
    intermediates: [],
    revocationLists: made.revocationLists,
    lifetimeDays: 30,
    nowMs,
    ...changes,
  })
const pendingIds = async () => (await pendingEnrollments(storeDir).list()).map(({ id }) => id)

describe('roots of makers of TPMs', () => {
  test('are taken in, listed and taken out', async () => {
    expect(await tpmRoots(storeDir).list()).toEqual([])
    const roots = await trust(made.root)
    expect(roots).toMatchObject([{ subject: 'CN=Maker Root', spkiSha256: made.rootSpkiSha256 }])
    expect(await trust(made.root)).toEqual(roots)
    expect(await tpmRoots(storeDir).list()).toEqual(roots)
    await tpmRoots(storeDir).forget(made.rootSpkiSha256)
    expect(await tpmRoots(storeDir).list()).toEqual([])
    expect(await codeOf(() => tpmRoots(storeDir).forget(made.rootSpkiSha256))).toBe(
      'PROVIDER_TPM_ROOT_UNKNOWN',
    )
  })

  test('are taken in all or none', async () => {
    const code = await codeOf(() => trust(made.root, made.request.chain[1] as Uint8Array))
    expect(code).toBe('ATTESTATION_CERTIFICATE_INVALID')
    expect(await tpmRoots(storeDir).pins()).toEqual([])
  })

  test('as many as a policy can name', async () => {
    await trust(made.root)
    const dir = storePaths(storeDir).tpmRootsDir
    for (let i = 1; i < 64; i++)
      writeFileSync(join(dir, `${i.toString(16).padStart(64, '0')}.der`), made.root)
    const other = await makeEnrollable()
    expect(await codeOf(() => trust(other.root))).toBe('PROVIDER_TPM_FULL')
    expect(await codeOf(() => trust(made.root))).toBe('ok')
    // Nor is a file taken for another root than it holds.
    expect(await codeOf(() => tpmRoots(storeDir).list())).toBe('PROVIDER_FILE_INVALID')
  })

  test('a trust store is what the store holds when it is asked for', async () => {
    const tpm = platformsOf(storeDir).find(({ verifier }) => verifier.name === 'tpm')
    expect(await tpm?.trustStore()).toMatchObject({ authorities: [], ekRoots: [] })
    await trust(made.root)
    const { offer: made1 } = await offer()
    await codeOf(() => issueCredential(storeDir, { id: made1.id, answer: seeded('guess') }, nowMs))
    const authority = keyThumbprint(await readPublicKey(storePaths(storeDir).publicKey('tpm')))
    expect(await tpm?.trustStore()).toMatchObject({
      authorities: [authority],
      ekRoots: [made.rootSpkiSha256],
    })
    writeFileSync(storePaths(storeDir).publicKey('tpm'), '{}')
    expect(await codeOf(() => readTpmTrustStore(storeDir))).toBe('PROVIDER_KEY_FILE_INVALID')
  })
})

describe('enrollments', () => {
  test('an offer is kept without a secret, and for a request that holds alone', async () => {
    expect(await codeOf(() => offer())).toBe('ATTESTATION_ROOT_UNKNOWN')
    await trust(made.root)
    const [rootList] = made.revocationLists
    expect(await codeOf(() => offer({ revocationLists: [rootList as Uint8Array] }))).toBe(
      'ATTESTATION_REVOCATION_UNKNOWN',
    )
    const request = { ...made.request, akPublic: made.request.akPublic.slice(1) }
    expect(await codeOf(() => offer({ request }))).toMatch(/^ATTESTATION_EVIDENCE_/)
    expect(await pendingIds()).toEqual([])
    const { offer: given, ekRootSpkiSha256 } = await offer()
    expect(ekRootSpkiSha256).toBe(made.rootSpkiSha256)
    expect(await pendingEnrollments(storeDir).list()).toMatchObject([
      { id: given.id, akName: given.akName, lifetimeDays: 30, expiresAtMs: nowMs + 7 * dayMs },
    ])
  })

  /** An enrollment whose answer is known. */
  const wait = async (answer = seeded('answer')) => {
    const { akName } = (await offer()).offer
    const pending = {
      akName,
      ekSpkiSha256: '01'.repeat(32),
      ekRootSpkiSha256: made.rootSpkiSha256,
      answerSha256: toHex(sha256(answer)),
    }
    return { akName, id: await pendingEnrollments(storeDir).add(pending, 30, nowMs) }
  }

  test('#69 the answer earns a credential by the key of the store, once', async () => {
    await trust(made.root)
    const { akName, id } = await wait()
    const answer = seeded('answer')
    const { token, expiresAtMs } = await issueCredential(storeDir, { id, answer }, nowMs)
    expect(expiresAtMs).toBe(nowMs + 30 * dayMs)
    const { authorities } = await readTpmTrustStore(storeDir)
    const options = { authorities, akName: fromHex(akName), nowMs: expiresAtMs }
    expect(await verifyAkCredential(token, options)).toMatchObject({ expiresAtMs })
    const again = () => issueCredential(storeDir, { id, answer }, nowMs)
    expect(await codeOf(again)).toBe('PROVIDER_ENROLLMENT_UNKNOWN')
  })

  test('#69 of two who answer at once, one gets a credential', async () => {
    await trust(made.root)
    const { id } = await wait()
    await codeOf(() => issueCredential(storeDir, { id: '00'.repeat(16), answer: seeded('x') }, nowMs))
    const codes = await Promise.all(
      [1, 2, 3].map(() => codeOf(() => issueCredential(storeDir, { id, answer: seeded('answer') }, nowMs))),
    )
    const unknown = 'PROVIDER_ENROLLMENT_UNKNOWN'
    expect(codes.sort()).toEqual([unknown, unknown, 'ok'])
  })

  test.each([
    ['a wrong answer', {}, { answer: seeded('guess') }, 'ATTESTATION_ENDORSEMENT_MISMATCH'],
    ['a late answer', { nowMs: nowMs + 7 * dayMs + 1 }, {}, 'PROVIDER_ENROLLMENT_EXPIRED'],
  ])('%s uses it up', async (_what, at: { nowMs?: number }, changes, code) => {
    await trust(made.root)
    const { id } = await wait()
    const given = { id, answer: seeded('answer') }
    expect(await codeOf(() => issueCredential(storeDir, { ...given, ...changes }, at.nowMs ?? nowMs))).toBe(
      code,
    )
    expect(await codeOf(() => issueCredential(storeDir, given, nowMs))).toBe('PROVIDER_ENROLLMENT_UNKNOWN')
  })

  test('a key that cannot be had uses nothing up; its public half is written again', async () => {
    await trust(made.root)
    const { id } = await wait()
    const given = { id, answer: seeded('answer') }
    const paths = storePaths(storeDir)
    writeFileSync(paths.privateKey('tpm'), readFileSync(paths.privateKey('authority')), { mode: 0o600 })
    expect(await codeOf(() => issueCredential(storeDir, given, nowMs))).toBe('PROVIDER_KEY_FILE_INVALID')
    rmSync(paths.privateKey('tpm'))
    const unknown = { id: 'ff'.repeat(16), answer: seeded('x') }
    expect(await codeOf(() => issueCredential(storeDir, unknown, nowMs))).toBe('PROVIDER_ENROLLMENT_UNKNOWN')
    const publicKey = await readPublicKey(paths.publicKey('tpm'))
    rmSync(paths.publicKey('tpm'))
    expect(await codeOf(() => issueCredential(storeDir, given, nowMs))).toBe('ok')
    expect(await readPublicKey(paths.publicKey('tpm'))).toEqual(publicKey)
  })

  test('those that were never answered make room for others', async () => {
    await trust(made.root)
    const { id } = await wait()
    const dir = storePaths(storeDir).tpmPendingDir
    const text = readFileSync(join(dir, `${id}.json`))
    for (let i = 0; i < 1022; i++) writeFileSync(join(dir, `${i.toString(16).padStart(32, '0')}.json`), text)
    expect(await codeOf(() => offer())).toBe('PROVIDER_TPM_FULL')
    expect(await codeOf(() => offer({ nowMs: nowMs + 8 * dayMs }))).toBe('ok')
    expect(await pendingIds()).toHaveLength(1)
  })

  test('#80 a file that holds no enrollment is named, and not used up', async () => {
    const dir = storePaths(storeDir).tpmPendingDir
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const id = 'ab'.repeat(16)
    for (const text of ['', '{}', '{"version":1}']) {
      writeFileSync(join(dir, `${id}.json`), text)
      const given = { id, answer: seeded('answer') }
      expect(await codeOf(() => issueCredential(storeDir, given, nowMs))).toBe('PROVIDER_FILE_INVALID')
      expect(readdirSync(dir)).toEqual([`${id}.json`])
    }
  })
})
