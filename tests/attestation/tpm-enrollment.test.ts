// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTokenFile } from '@mlcapsule/attestation'
import {
  decodeEnrollmentAnswer,
  decodeEnrollmentOffer,
  decodeEnrollmentRequest,
  encodeEnrollmentAnswer,
  encodeEnrollmentRequest,
} from '@mlcapsule/attestation/tpm'
import { createAttestationKey, readEkCertificate, tpmAttester } from '@mlcapsule/attestation/tpm/node'
import { toHex } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootedManifest, bootPcrs, startBootedTpm, valueAfterBoot } from '../support/booted-tpm.ts'
import { type Program, programs, sourceCondition } from '../support/programs.ts'
import { noSwtpm, type SoftwareTpm, startSwtpm } from '../support/swtpm.ts'

const absent = noSwtpm()
const timeout = 120_000
const reportData = new Uint8Array(64).fill(7)

interface Outcome {
  readonly exitCode: number
  readonly json: Record<string, unknown>
}

describe.skipIf(absent !== null)(`enrollment by the command lines ${absent ?? ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-enrollment-'))
  const file = (name: string) => join(folder, name)
  let tpm: SoftwareTpm
  let other: SoftwareTpm

  /** Runs a program. @returns what it printed, or the error that it ended with */
  function run(program: Program, ...args: readonly string[]): Promise<Outcome> {
    const env = { ...process.env, MLCAPSULE_PROVIDER_STORE: 'store', NODE_NO_WARNINGS: '1' }
    const all = [sourceCondition, programs[program], ...args, '--json']
    return new Promise((resolve) => {
      execFile(process.execPath, all, { cwd: folder, env }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code)
        const text = stdout === '' ? stderr : stdout
        resolve({ exitCode, json: JSON.parse(text) as Record<string, unknown> })
      })
    })
  }
  async function ok(program: Program, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const { exitCode, json } = await run(program, ...args)
    expect([exitCode, json.error]).toEqual([0, undefined])
    return json
  }
  async function refusal(program: Program, ...args: readonly string[]): Promise<string> {
    const { exitCode, json } = await run(program, ...args)
    expect(exitCode).not.toBe(0)
    return (json.error as { readonly code: string }).code
  }
  const provider = (...args: readonly string[]) => ok('mlcapsule-provider', 'tpm', ...args)
  const providerCode = (...args: readonly string[]) => refusal('mlcapsule-provider', 'tpm', ...args)
  const client = (of: SoftwareTpm, ...args: readonly string[]) =>
    ok('mlcapsule', 'tpm', ...args, '--tcti', of.tcti)
  const clientCode = (of: SoftwareTpm, ...args: readonly string[]) =>
    refusal('mlcapsule', 'tpm', ...args, '--tcti', of.tcti)
  const pending = () => (existsSync(file('store/tpm/pending')) ? readdirSync(file('store/tpm/pending')) : [])
  const offerFor = (request: string, name: string) =>
    provider('offer', request, '-o', name, '--intermediate', 'authority.der', '--revocation', 'unchecked')
  /** An offer for the first TPM, whose maker is trusted. */
  async function offer(name: string): Promise<Record<string, unknown>> {
    await provider('trust', 'root.der')
    await client(tpm, 'request', '-o', `request-${name}`)
    return await offerFor(`request-${name}`, name)
  }

  beforeAll(async () => {
    tpm = await startBootedTpm()
    other = await startSwtpm()
    for (const [name, { authorities }] of Object.entries({ '': tpm, 'other-': other })) {
      writeFileSync(file(`${name}authority.der`), authorities[0] as Uint8Array)
      writeFileSync(file(`${name}root.der`), authorities[1] as Uint8Array)
    }
    await ok('mlcapsule-provider', 'keygen')
  }, timeout)
  afterAll(async () => {
    await tpm?.stop()
    await other?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('from the root of the maker to evidence that a policy accepts', { timeout }, async () => {
    const made = await client(tpm, 'request', '-o', 'request.json')
    expect(made).toMatchObject({ isKeyNew: true, keyType: 'ecc', ek: 'rsa', handle: '0x81010010' })
    const again = await client(tpm, 'request', '-o', 'again.json', '--intermediate', 'authority.der')
    expect(again).toMatchObject({ isKeyNew: false, akName: made.akName })
    expect(decodeEnrollmentRequest(readFileSync(file('again.json'))).chain).toHaveLength(2)
    expect(await clientCode(tpm, 'request', '-o', 'rsa.json', '--key-type', 'rsa')).toBe(
      'ATTESTATION_CLAIMS_INVALID',
    )
    expect(await clientCode(tpm, 'request', '-o', 'request.json')).toBe('CLIENT_OUTPUT_EXISTS')

    // Nobody is trusted by himself, and nobody by what a request brings.
    const unchecked = ['--revocation', 'unchecked']
    expect(await providerCode('offer', 'again.json', '-o', 'offer.json', ...unchecked)).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
    await provider('trust', 'other-root.der')
    expect(await providerCode('offer', 'again.json', '-o', 'offer.json', ...unchecked)).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
    expect(await providerCode('trust', 'authority.der')).toBe('ATTESTATION_CERTIFICATE_INVALID')
    const [root] = (await provider('trust', 'root.der')).roots as { readonly spkiSha256: string }[]
    const ekRoot = root?.spkiSha256 ?? ''

    // What is not said is not assumed.
    expect(await providerCode('offer', 'again.json', '-o', 'offer.json')).toBe('PROVIDER_OPTION_INVALID')
    expect(await providerCode('offer', 'request.json', '-o', 'offer.json', ...unchecked)).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
    expect([existsSync(file('offer.json')), pending()]).toEqual([false, []])
    const offered = await offerFor('request.json', 'offer.json')
    expect(offered).toMatchObject({ akName: made.akName, ekRootSpkiSha256: ekRoot, revocation: 'unchecked' })
    expect(await provider('list')).toMatchObject({ pending: [{ id: offered.id, isExpired: false }] })

    await client(tpm, 'answer', 'offer.json', '-o', 'answer.json')
    if (process.platform !== 'win32') {
      expect(statSync(file('answer.json')).mode & 0o777).toBe(0o600)
      expect(statSync(file(`store/tpm/pending/${offered.id}.json`)).mode & 0o777).toBe(0o600)
    }
    const issued = await provider('issue', 'answer.json', '-o', 'ak.jws')
    expect(issued).toMatchObject({ akName: made.akName, ekRootSpkiSha256: ekRoot })
    expect(pending()).toEqual([])
    expect(await providerCode('issue', 'answer.json', '-o', 'second.jws')).toBe('PROVIDER_ENROLLMENT_UNKNOWN')

    const akCredential = readFileSync(file('ak.jws'), 'utf8').trim()
    const attester = tpmAttester({ tcti: tpm.tcti, handle: 0x81010010, pcrs: bootPcrs, akCredential })
    writeFileSync(file('evidence.bin'), (await attester.produce(reportData)).bytes)
    writeFileSync(file('manifest.json'), JSON.stringify(bootedManifest))
    await ok(
      'mlcapsule-provider',
      ...['reference', 'create', '--release', 'image-1', '--platform', 'tpm', '--manifest', 'manifest.json'],
      ...['--register', `pcr4=${valueAfterBoot(4)}`, '--register', `pcr11=${valueAfterBoot(11)}`],
      ...['-o', 'release.jws'],
    )
    const policy = (name: string, ...rules: readonly string[]) =>
      ok(
        'mlcapsule-provider',
        ...['policy', 'create', '--manifest', 'manifest.json', '--platform', 'tpm', '--min-tier', 'process'],
        ...['--reference-signer', 'store/keys/publisher.jwk', ...rules.flatMap((it) => ['--rule', it])],
        ...['-o', name],
      )
    const check = (name: string) =>
      run(
        'mlcapsule-provider',
        ...['policy', 'check', 'evidence.bin', name, '--report-data', toHex(reportData)],
        ...['--manifest', 'manifest.json', '--reference', 'release.jws'],
      )
    const firmware = { 0: [valueAfterBoot(0)], 7: [valueAfterBoot(7)] }
    await policy('policy.yaml', `tpm.ekRoots=["${ekRoot}"]`, `tpm.pcrs=${JSON.stringify(firmware)}`)
    expect(await check('policy.yaml')).toMatchObject({
      exitCode: 0,
      json: { status: 'accepted', platform: 'tpm', verified: { tier: 'process', root: ekRoot } },
    })
    // As it is suggested, the section accepts nothing.
    await policy('suggested.yaml')
    const { json } = await check('suggested.yaml')
    expect((json.reasons as { readonly code: string }[]).map((it) => it.code)).toEqual([
      'ATTESTATION_ROOT_UNKNOWN',
      'ATTESTATION_PLATFORM_REFUSED',
    ])

    await provider('forget', ekRoot)
    expect(await check('policy.yaml')).toMatchObject({
      exitCode: 1,
      json: { verified: null, reasons: [{ code: 'ATTESTATION_ROOT_UNKNOWN' }] },
    })
    await provider('trust', 'root.der')
    expect((await check('policy.yaml')).exitCode).toBe(0)
  })

  test('#16 #69 an offer is for one TPM, and an answer for one offer', { timeout }, async () => {
    await offer('for-one.json')
    await createAttestationKey({ tcti: other.tcti, handle: 0x81010010, keyType: 'ecc', ek: 'rsa' })
    expect(await clientCode(other, 'answer', 'for-one.json', '-o', 'other-answer.json')).toBe(
      'ATTESTATION_ENDORSEMENT_MISMATCH',
    )
    expect(existsSync(file('other-answer.json'))).toBe(false)

    // The answer of another TPM, to an offer of its own, under the name of this one.
    await provider('trust', 'other-root.der')
    await client(other, 'request', '-o', 'other.json', '--intermediate', 'other-authority.der')
    await provider('offer', 'other.json', '-o', 'for-other.json', '--revocation', 'unchecked')
    await client(other, 'answer', 'for-other.json', '-o', 'other-answer.json')
    const { answer } = decodeEnrollmentAnswer(readFileSync(file('other-answer.json')))
    const { id } = decodeEnrollmentOffer(readFileSync(file('for-one.json')))
    writeFileSync(file('foreign.json'), encodeEnrollmentAnswer({ id, answer }))
    expect(await providerCode('issue', 'foreign.json', '-o', 'foreign.jws')).toBe(
      'ATTESTATION_ENDORSEMENT_MISMATCH',
    )
    await client(tpm, 'answer', 'for-one.json', '-o', 'late-answer.json')
    expect(await providerCode('issue', 'late-answer.json', '-o', 'late.jws')).toBe(
      'PROVIDER_ENROLLMENT_UNKNOWN',
    )
    expect([existsSync(file('foreign.jws')), existsSync(file('late.jws'))]).toEqual([false, false])
    await provider('issue', 'other-answer.json', '-o', 'other.jws')

    // The key of one TPM beside the endorsement of another: no TPM opens that.
    const [one, two] = ['request-for-one.json', 'other.json'].map((it) =>
      decodeEnrollmentRequest(readFileSync(file(it))),
    )
    const mixed = { akPublic: one?.akPublic as Uint8Array, chain: two?.chain as Uint8Array[] }
    writeFileSync(file('mixed.json'), encodeEnrollmentRequest(mixed))
    await provider('offer', 'mixed.json', '-o', 'for-mixed.json', '--revocation', 'unchecked')
    expect(await clientCode(tpm, 'answer', 'for-mixed.json', '-o', 'mixed-answer.json')).toBe(
      'ATTESTATION_DEVICE_FAILED',
    )
    expect(await clientCode(other, 'answer', 'for-mixed.json', '-o', 'mixed-answer.json')).toBe(
      'ATTESTATION_ENDORSEMENT_MISMATCH',
    )
  })

  test('an enrollment waits for seven days, and for a root that is trusted still', { timeout }, async () => {
    const { id, ekRootSpkiSha256 } = await offer('forgotten.json')
    await client(tpm, 'answer', 'forgotten.json', '-o', 'forgotten-answer.json')
    await provider('forget', String(ekRootSpkiSha256))
    expect(await providerCode('issue', 'forgotten-answer.json', '-o', 'forgotten.jws')).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )

    const expiring = (await offer('expiring.json')).id
    await client(tpm, 'answer', 'expiring.json', '-o', 'expiring-answer.json')
    const path = file(`store/tpm/pending/${expiring}.json`)
    const kept = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly offeredAtMs: number
      readonly expiresAtMs: number
    }
    expect(kept.expiresAtMs - kept.offeredAtMs).toBe(7 * 86_400_000)
    writeFileSync(path, JSON.stringify({ ...kept, expiresAtMs: Date.now() - 1 }))
    expect(await providerCode('issue', 'expiring-answer.json', '-o', 'expired.jws')).toBe(
      'PROVIDER_ENROLLMENT_EXPIRED',
    )
    expect(pending().filter((it) => [`${id}.json`, `${expiring}.json`].includes(it))).toEqual([])
  })

  test('#80 files that are none, and a credential that could not be kept', { timeout }, async () => {
    await offer('kept.json')
    await client(tpm, 'answer', 'kept.json', '-o', 'kept-answer.json')
    writeFileSync(file('taken.jws'), encodeTokenFile('a.b.c'))
    const before = pending()
    expect(await providerCode('issue', 'kept-answer.json', '-o', 'taken.jws')).toBe('PROVIDER_OUTPUT_EXISTS')
    expect(await providerCode('issue', 'kept-answer.json', '-o', 'nowhere/ak.jws')).toBe(
      'PROVIDER_FILE_UNREADABLE',
    )
    const invalid = 'ATTESTATION_ENROLLMENT_INVALID'
    expect(await providerCode('issue', 'kept.json', '-o', 'x.jws')).toBe(invalid)
    expect(await providerCode('offer', 'kept.json', '-o', 'x.json', '--revocation', 'unchecked')).toBe(
      invalid,
    )
    expect(await clientCode(tpm, 'answer', 'kept-answer.json', '-o', 'x.json')).toBe(invalid)
    expect(pending()).toEqual(before)
    await provider('issue', 'kept-answer.json', '-o', 'kept.jws')
  })

  test('a TPM that holds no certificate of the asked kind, and none at all', { timeout }, async () => {
    expect(await clientCode(tpm, 'request', '-o', 'x.json', '--ek', 'P-256', '--handle', '0x81010020')).toBe(
      'ATTESTATION_DEVICE_FAILED',
    )
    // A certificate from elsewhere stands for one in the TPM.
    writeFileSync(file('ek.der'), await readEkCertificate('rsa', { tcti: tpm.tcti }))
    await client(tpm, 'request', '-o', 'by-file.json', '--ek-certificate', 'ek.der')
    await client(tpm, 'request', '-o', 'by-tpm.json')
    expect(readFileSync(file('by-file.json'))).toEqual(readFileSync(file('by-tpm.json')))
    // No key was made for a request that could not be.
    expect(
      await codeOf(() =>
        tpmAttester({ tcti: tpm.tcti, handle: 0x81010020, pcrs: bootPcrs, akCredential: '' }).produce(
          reportData,
        ),
      ),
    ).toBe('ATTESTATION_DEVICE_FAILED')
    expect(await refusal('mlcapsule', 'tpm', 'request', '-o', 'x.json', '--tcti', 'device:/nowhere')).toBe(
      'ATTESTATION_DEVICE_FAILED',
    )
    expect(await refusal('mlcapsule', 'tpm', 'request', '-o', 'x.json', '--handle', '0x80000000')).toBe(
      'CLIENT_ARGUMENT_INVALID',
    )
  })
})
