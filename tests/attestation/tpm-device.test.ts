// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto'
import {
  activationReportData,
  type Challenge,
  createChallenge,
  createRequest,
  type DecideActivationInput,
  decideActivation,
  type EnclaveStatement,
  manifestDigest,
  openRelease,
  parsePolicy,
  sealRelease,
  signReference,
  tpmQualifyingData,
  verifyReference,
  verifyRequest,
} from '@mlcapsule/attestation'
import {
  type EndorsementKey,
  encodeTpmEvidence,
  issueAkCredential,
  makeCredential,
  offerAkCredential,
  parseAttest,
  parsePublicArea,
  parseTpmEvidence,
  signAkCredential,
  tpmTrustStore,
  tpmVerifier,
  verifyEndorsementKey,
  verifyTpmEvidence,
} from '@mlcapsule/attestation/tpm'
import {
  activateCredential,
  createAttestationKey,
  type EkKind,
  readEkCertificate,
  tpmAttester,
} from '@mlcapsule/attestation/tpm/node'
import type { Evidence } from '@mlcapsule/contracts'
import {
  concatBytes,
  cryptoReady,
  expose,
  generateReleaseKeyPair,
  generateSigningKeyPair,
  keyThumbprint,
  randomBytes,
  Secret,
  type SigningKeyPair,
  sha256,
  toHex,
} from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootedManifest, bootPcrs, startBootedTpm, valueAfterBoot } from '../support/booted-tpm.ts'
import { listenSilently, noSwtpm, type SoftwareTpm } from '../support/swtpm.ts'

const absent = noSwtpm()
/** Ahead, since the certificates of the TPMs below are made while the tests run, and hold from then on. */
const nowMs = Date.now() + 3_600_000
const handle = 0x81010010
const rootSpkiSha256 = ({ authorities }: SoftwareTpm): string => {
  const { publicKey } = new X509Certificate(authorities.at(-1) as Uint8Array)
  return toHex(sha256(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))))
}

async function ekOf(
  tpm: SoftwareTpm,
  ekRoots = [rootSpkiSha256(tpm)],
  kind: EkKind = 'rsa',
): Promise<EndorsementKey> {
  const chain = [await readEkCertificate(kind, { tcti: tpm.tcti }), ...tpm.authorities]
  return await verifyEndorsementKey({ chain, ekRoots, nowMs, revocation: 'unchecked' })
}

describe.skipIf(absent !== null)(`a TPM in software ${absent ?? ''}`, () => {
  let tpm: SoftwareTpm
  let ek: EndorsementKey
  let akPublic: Uint8Array
  let akCredential: string
  let authority: SigningKeyPair
  let builder: SigningKeyPair
  let customer: SigningKeyPair

  beforeAll(async () => {
    await cryptoReady()
    authority = generateSigningKeyPair()
    builder = generateSigningKeyPair()
    customer = generateSigningKeyPair()
    tpm = await startBootedTpm()
    ek = await ekOf(tpm)
    akPublic = await createAttestationKey({ tcti: tpm.tcti, handle, keyType: 'ecc', ek: 'rsa' })
    const { sealed, pending } = await offerAkCredential(ek, akPublic)
    const answer = await activateCredential(sealed, { tcti: tpm.tcti, handle, ek: 'rsa' })
    akCredential = await issueAkCredential({ pending, answer, authority, nowMs, lifetimeSeconds: 3600 })
  }, 60_000)
  afterAll(() => tpm?.stop())

  const trustStore = () =>
    tpmTrustStore({ authorities: [keyThumbprint(authority.publicKey)], ekRoots: [rootSpkiSha256(tpm)] })
  const attester = () => tpmAttester({ tcti: tpm.tcti, handle, pcrs: bootPcrs, akCredential })

  const section = () => ({
    ekRoots: [rootSpkiSha256(tpm)],
    pcrs: { 0: [valueAfterBoot(0)], 7: [valueAfterBoot(7)] },
    akNames: 'any',
  })
  const policyWith = (platforms: object) =>
    parsePolicy(
      {
        version: 1,
        name: 'measured-boot',
        minimumTier: 'process',
        allowUnattested: [],
        manifests: [{ sha384: toHex(manifestDigest(bootedManifest)) }],
        referenceSigners: [keyThumbprint(builder.publicKey)],
        platforms,
        maxEvidenceAgeSeconds: 600,
        simulatedRoots: [],
        tcbStatuses: ['none'],
        advisories: [],
        debug: false,
      },
      [tpmVerifier],
    )

  const referenceFor = async (registers: readonly number[]) => {
    const token = await signReference({
      signer: builder,
      release: 'image-1',
      platform: 'tpm',
      measurement: Object.fromEntries(registers.map((pcr) => [`pcr${pcr}`, valueAfterBoot(pcr)])),
      manifest: toHex(manifestDigest(bootedManifest)),
    })
    return await verifyReference(token, [keyThumbprint(builder.publicKey)])
  }

  const capsule = {
    capsuleId: seeded('capsule'),
    headerHash: seeded('header'),
    minimumTier: 'process' as const,
  }
  const release = () => generateReleaseKeyPair()
  const statement = (releaseKey: Uint8Array): EnclaveStatement => ({
    releaseKey,
    identityKey: seeded('identity'),
    headerHash: capsule.headerHash,
    anchor: null,
    manifest: bootedManifest,
  })
  const challengeFor = (order: string): Promise<Challenge> =>
    createChallenge({
      authority,
      customerKey: customer.publicKey,
      order,
      capsuleId: capsule.capsuleId,
      purpose: 'activate',
      nowMs,
      lifetimeSeconds: 600,
    })

  /** What the provider decides about evidence for a challenge. */
  async function decide(
    challenge: Challenge,
    enclave: EnclaveStatement,
    evidence: Evidence,
    changes: Partial<DecideActivationInput> = {},
  ) {
    const token = await createRequest({ ...enclave, customer, challenge: challenge.token, evidence })
    return await decideActivation({
      request: await verifyRequest(token, [keyThumbprint(authority.publicKey)]),
      challenge: { claims: challenge.claims, answeredRequestHash: null },
      capsule,
      policy: policyWith({ tpm: section() }),
      verifiers: [tpmVerifier],
      trustStores: [trustStore()],
      references: [await referenceFor([4, 11])],
      nowMs,
      ...changes,
    })
  }
  async function reasons(...input: Parameters<typeof decide>): Promise<readonly string[]> {
    const decision = await decide(...input)
    return decision.status === 'refused' ? decision.reasons.map(({ code }) => code) : [decision.status]
  }

  test('gets a key for an enclave on the image that it measured, and for nothing else', async () => {
    const { publicKey, privateKey } = release()
    const enclave = statement(publicKey)
    const challenge = await challengeFor('order-1')
    const evidence = await attester().produce(activationReportData(challenge, enclave))
    const decision = await decide(challenge, enclave, evidence)
    expect(decision).toMatchObject({
      status: 'accepted',
      attestation: {
        platform: 'tpm',
        tier: 'process',
        unattested: false,
        entry: 'vm',
        manifestSha384: toHex(manifestDigest(bootedManifest)),
      },
    })
    if (decision.status !== 'accepted') throw new Error('refused')
    const contentKey = Secret.fromBytes('content-key', seeded('content key'))
    const defenseSeed = Secret.fromBytes('defense-seed', seeded('defense seed'))
    const stateKey = Secret.fromBytes('state-key', seeded('state key'))
    const license = 'license of order-1'
    const { reportData } = decision
    const sealed = await sealRelease({
      contentKey,
      defenseSeed,
      stateKey,
      releaseKey: publicKey,
      reportData,
      license,
    })
    const own = activationReportData(challenge, enclave)
    const opened = await openRelease({ privateKey, sealed, reportData: own, license })
    expect(expose(opened.contentKey, 'content-key')).toEqual(seeded('content key'))

    // The very same evidence, under other policies, trust stores and reference values.
    const decided = (changes: Partial<DecideActivationInput>) =>
      reasons(challenge, enclave, evidence, changes)
    expect(await decided({ policy: policyWith({}) })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    const ekRoots = ['00'.repeat(32)]
    expect(await decided({ policy: policyWith({ tpm: { ...section(), ekRoots } }) })).toEqual([
      'ATTESTATION_ROOT_UNKNOWN',
    ])
    expect(await decided({ trustStores: [{ ...trustStore(), ekRoots } as never] })).toEqual([
      'ATTESTATION_ROOT_UNKNOWN',
    ])
    expect(await decided({ trustStores: [{ ...trustStore(), authorities: [] } as never] })).toEqual([
      'ATTESTATION_ROOT_UNKNOWN',
    ])
    const firmware = { ...section(), pcrs: { 0: ['00'.repeat(32)] } }
    expect(await decided({ policy: policyWith({ tpm: firmware }) })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    const unquoted = { ...section(), pcrs: { 1: [valueAfterBoot(1)] } }
    expect(await decided({ policy: policyWith({ tpm: unquoted }) })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    expect(await decided({ references: [] })).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    // A register that anything that was booted can extend does not say what was booted.
    expect(await decided({ references: [await referenceFor([11])] })).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
    ])
    expect(await decided({ references: [await referenceFor(bootPcrs)] })).toEqual(['accepted'])
    expect(await decided({ nowMs: nowMs + 601_000 })).toEqual(['CHALLENGE_EXPIRED'])
  })

  test('#67 #72 #73 evidence for another challenge, or for other keys, is refused', async () => {
    const enclave = statement(release().publicKey)
    const [asked, other] = [await challengeFor('order-2'), await challengeFor('order-2')]
    const evidence = await attester().produce(activationReportData(other, enclave))
    expect(await reasons(asked, enclave, evidence)).toEqual(['ATTESTATION_REPORT_DATA_MISMATCH'])
    expect(await reasons(other, statement(release().publicKey), evidence)).toEqual([
      'ATTESTATION_REPORT_DATA_MISMATCH',
    ])
    expect(await reasons(other, enclave, evidence)).toEqual(['accepted'])
  })

  test('an RSA key quotes as well', async () => {
    const own = handle + 1
    const area = await createAttestationKey({ tcti: tpm.tcti, handle: own, keyType: 'rsa', ek: 'rsa' })
    const { sealed, pending } = await offerAkCredential(ek, area)
    const answer = await activateCredential(sealed, { tcti: tpm.tcti, handle: own, ek: 'rsa' })
    const credential = await issueAkCredential({ pending, answer, authority, nowMs, lifetimeSeconds: 3600 })
    const device = tpmAttester({ tcti: tpm.tcti, handle: own, pcrs: bootPcrs, akCredential: credential })
    const { bytes } = await device.produce(new Uint8Array(64))
    const options = { nowMs, trustStore: trustStore(), expectedNonce: tpmQualifyingData(new Uint8Array(64)) }
    const { quote, akName } = await verifyTpmEvidence(bytes, options)
    expect(quote.signature).toMatchObject({ scheme: 'rsassa', hashId: 0x0b })
    expect(akName).toBe(toHex(parsePublicArea(area).name))
  })

  test('is enrolled by its endorsement key of P-384 as well, which is certified too', async () => {
    const own = handle + 2
    const larger = await ekOf(tpm, undefined, 'P-384')
    expect(larger).toMatchObject({ protection: { kind: 'P-384', cipherKeyBits: 256 } })
    expect(larger.ekSpkiSha256).not.toBe(ek.ekSpkiSha256)
    const area = await createAttestationKey({ tcti: tpm.tcti, handle: own, keyType: 'ecc', ek: 'P-384' })
    const { sealed, pending } = await offerAkCredential(larger, area)
    const answer = await activateCredential(sealed, { tcti: tpm.tcti, handle: own, ek: 'P-384' })
    const credential = await issueAkCredential({ pending, answer, authority, nowMs, lifetimeSeconds: 3600 })
    const device = tpmAttester({ tcti: tpm.tcti, handle: own, pcrs: bootPcrs, akCredential: credential })
    const { bytes } = await device.produce(new Uint8Array(64))
    const options = { nowMs, trustStore: trustStore(), expectedNonce: tpmQualifyingData(new Uint8Array(64)) }
    const { ekSpkiSha256 } = await verifyTpmEvidence(bytes, options)
    expect(ekSpkiSha256).toBe(larger.ekSpkiSha256)
  })

  test('calls at the same time are served one after another', async () => {
    const device = attester()
    const asked = [1, 2, 3].map((fill) => new Uint8Array(64).fill(fill))
    const made = await Promise.all(asked.map((it) => device.produce(it)))
    const bound = made.map(({ bytes }) => toHex(parseAttest(parseTpmEvidence(bytes).attest).extraData))
    expect(bound).toEqual(asked.map((it) => toHex(tpmQualifyingData(it))))
  })

  test('#69 the attestation key signs nothing that only looks like a quote; another key does, and is refused', async () => {
    const { bytes } = await attester().produce(new Uint8Array(64))
    const genuine = parseTpmEvidence(bytes)
    const forgedValue = seeded('another image')
    const bank = new Map([...(genuine.pcrs.get('sha256') ?? [])].map(([pcr]) => [pcr, forgedValue]))
    const attest = concatBytes(genuine.attest.slice(0, -32), sha256(...[...bank.values()]))
    const ofHandle = `0x${handle.toString(16)}`
    tpm.writeFile('forged', attest)
    const sign = (key: string) =>
      tpm.run('sign', '-c', key, '-g', 'sha256', '-s', 'ecdsa', '-o', 'signature', 'forged')
    await expect(sign(ofHandle)).rejects.toThrow(/ticket|TPM_RC/i)

    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
    await tpm.run('createprimary', '-C', 'o', '-G', 'ecc:ecdsa-sha256:null', '-a', attributes, '-c', 'loose')
    await tpm.run('flushcontext', '-t')
    await tpm.run('readpublic', '-c', 'loose', '-f', 'tss', '-o', 'loose.pub')
    await tpm.run('flushcontext', '-t')
    await sign('loose')
    await tpm.run('flushcontext', '-t')
    const area = tpm.readFile('loose.pub').slice(2)
    expect(await codeOf(() => offerAkCredential(ek, area))).toBe('ATTESTATION_EVIDENCE_UNSUPPORTED')
    // Even where an authority has been talked into a credential for it.
    const misled = await signAkCredential({
      authority,
      nowMs,
      expiresAtMs: nowMs + 60_000,
      akName: parsePublicArea(area).name,
      ekSpkiSha256: ek.ekSpkiSha256,
      ekRootSpkiSha256: ek.ekRootSpkiSha256,
    })
    const signature = tpm.readFile('signature')
    const pcrsShown = new Map([['sha256', bank]] as const)
    const forged = encodeTpmEvidence({
      attest,
      signature,
      akPublic: area,
      pcrs: pcrsShown,
      akCredential: misled,
    })
    const options = { nowMs, trustStore: trustStore(), expectedNonce: tpmQualifyingData(new Uint8Array(64)) }
    expect(await codeOf(() => verifyTpmEvidence(forged, options))).toBe('ATTESTATION_EVIDENCE_UNSUPPORTED')
    expect(await codeOf(() => verifyTpmEvidence(bytes, options))).toBe('ok')
  })

  test.each<[EkKind, string]>([
    ['rsa', 'rsa'],
    ['P-256', 'ecc'],
  ])(
    'opens what is sealed to its endorsement key of %s, and only for the key that is named',
    async (kind, algorithm) => {
      const template = ['-G', algorithm, '-c', `ek-${algorithm}`, '-u', `ek-${algorithm}.der`, '-f', 'der']
      await tpm.run('createek', ...template)
      await tpm.run('flushcontext', '-t')
      const spki = new Uint8Array(tpm.readFile(`ek-${algorithm}.der`))
      const key: EndorsementKey = { ...ek, spki, protection: { ...ek.protection, kind } }
      const secret = randomBytes(32)
      const { name } = parsePublicArea(akPublic)
      const options = { tcti: tpm.tcti, handle, ek: kind }
      expect(await activateCredential(await makeCredential(key, name, secret), options)).toEqual(secret)
      const otherName = concatBytes(name.slice(0, -1), Uint8Array.of((name.at(-1) ?? 0) ^ 1))
      const foreign = await makeCredential(key, otherName, secret)
      expect(await codeOf(() => activateCredential(foreign, options))).toBe('ATTESTATION_DEVICE_FAILED')
    },
  )

  test('#16 #69 another TPM can neither take the credential nor use the endorsement of this one', async () => {
    const other = await startBootedTpm()
    try {
      expect(await codeOf(() => ekOf(other, [rootSpkiSha256(tpm)]))).toBe('ATTESTATION_ROOT_UNKNOWN')
      const area = await createAttestationKey({ tcti: other.tcti, handle, keyType: 'ecc', ek: 'rsa' })
      const { sealed } = await offerAkCredential(ek, area)
      for (const { tcti } of [tpm, other]) {
        expect(await codeOf(() => activateCredential(sealed, { tcti, handle, ek: 'rsa' }))).toBe(
          'ATTESTATION_DEVICE_FAILED',
        )
      }
      const device = tpmAttester({ tcti: other.tcti, handle, pcrs: bootPcrs, akCredential })
      const { bytes } = await device.produce(new Uint8Array(64))
      const options = {
        nowMs,
        trustStore: trustStore(),
        expectedNonce: tpmQualifyingData(new Uint8Array(64)),
      }
      expect(await codeOf(() => verifyTpmEvidence(bytes, options))).toBe('ATTESTATION_ENDORSEMENT_MISMATCH')
    } finally {
      await other.stop()
    }
  })

  test('says what is wrong with its options, and with a TPM that is not there', async () => {
    const invalid = 'ATTESTATION_CLAIMS_INVALID'
    const code = (changes: object, reportData = new Uint8Array(64)) =>
      codeOf(() =>
        tpmAttester({ tcti: tpm.tcti, handle, pcrs: bootPcrs, akCredential, ...changes }).produce(reportData),
      )
    expect(await code({})).toBe('ok')
    expect(await code({}, new Uint8Array(63))).toBe(invalid)
    for (const wrong of [0, 0x01c00002, 0x81800000, 0x81010010 + 0.5])
      expect(await code({ handle: wrong })).toBe(invalid)
    for (const wrong of [[], [24], [-1], [0.5]]) expect(await code({ pcrs: wrong })).toBe(invalid)
    for (const tcti of ['', 'cmd:true', 'swtpm', '--help', 'device:/dev/tpm0\n']) {
      expect(await code({ tcti })).toBe(invalid)
    }
    expect(await code({ handle: handle + 9 })).toBe('ATTESTATION_DEVICE_FAILED')
    expect(await code({ tcti: 'swtpm:host=127.0.0.1,port=1' })).toBe('ATTESTATION_DEVICE_FAILED')
    const silent = await listenSilently()
    expect(await code({ tcti: silent.tcti, timeoutMs: 100 })).toBe('ATTESTATION_DEVICE_FAILED')
    await silent.close()
    const indexless = codeOf(() => readEkCertificate('P-256', { tcti: tpm.tcti }))
    expect(await indexless).toBe('ATTESTATION_DEVICE_FAILED')
  })

  // The last one: what was measured once stays measured.
  test('after another event in the register of the image, it gets no key', async () => {
    const enclave = statement(release().publicKey)
    const challenge = await challengeFor('order-3')
    await tpm.run('pcrextend', `11:sha256=${toHex(seeded('a shell'))}`)
    const evidence = await attester().produce(activationReportData(challenge, enclave))
    expect(await reasons(challenge, enclave, evidence)).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    await tpm.run('pcrextend', `7:sha256=${toHex(seeded('secure boot off'))}`)
    const again = await attester().produce(activationReportData(challenge, enclave))
    expect(await reasons(challenge, enclave, again)).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
      'ATTESTATION_PLATFORM_REFUSED',
    ])
  })
})
