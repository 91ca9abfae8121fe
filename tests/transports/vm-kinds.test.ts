// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  activationReportData,
  encodeTokenFile,
  manifestDigest,
  parsePolicy,
  signReference,
  verifyReference,
} from '@mlcapsule/attestation'
import { buildPreload, missingForPreload } from '@mlcapsule/attestation/testing'
import {
  issueAkCredential,
  offerAkCredential,
  tpmTrustStore,
  tpmVerifier,
  verifyEnrollmentRequest,
} from '@mlcapsule/attestation/tpm'
import { answerOffer, requestEnrollment } from '@mlcapsule/attestation/tpm/node'
import type { Tensor } from '@mlcapsule/contracts'
import { buildAddon } from '@mlcapsule/contracts/node'
import {
  cryptoReady,
  decodeCbor,
  encodeCbor,
  generateSigningKeyPair,
  keyThumbprint,
  sha256,
  toHex,
} from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { noSwtpm, type SoftwareTpm, startSwtpm } from '../support/swtpm.ts'
import { attachEntry, type BuiltEntry, buildEntry, connectEntry, type EntryStart } from './entry-process.ts'
import {
  challengeFor,
  createWorld,
  expectedAnswer,
  lenientPolicy,
  queryOf,
  respond,
  type World,
} from './world.ts'

const home = mkdtempSync(join(tmpdir(), 'mlcapsule-vm-'))
const children = new Set<ChildProcess>()
let vm: BuiltEntry
let world: World
beforeAll(async () => {
  await cryptoReady()
  vm = await buildEntry(home, 'vm')
  world = await createWorld()
}, 60_000)
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function attach(args: readonly string[], env: EntryStart['env'] = {}) {
  const channel = await connectEntry(vm, { args, env, onStart: (child) => children.add(child) })
  return await attachEntry(vm, channel, world)
}

describe('arguments of the entry vm', () => {
  const tpm = { handle: 0x81010010, pcrs: [4], credential: 'none.jws' }
  test.each<[string, readonly string[], string]>([
    ['no kind', [], 'the second argument is missing: expected one of tdx, '],
    ['an unknown kind', ['sgx'], 'the second argument "sgx" is no kind of machine'],
    ['a name that every object has', ['constructor'], 'the second argument "constructor" is no kind'],
    ['options that are none', ['tpm', 'handle=1'], 'the third argument is no object in JSON'],
    ['a list of options', ['tpm', '[]'], 'the third argument is no object in JSON'],
    ['an unknown option', ['tdx', '{"devicePath":"/tmp"}'], 'the third argument has "devicePath"'],
    ['no options where some are needed', ['tpm'], 'the third argument: handle is missing'],
    ['registers that are none', ['tpm', JSON.stringify({ ...tpm, pcrs: ['4'] })], 'the third argument: pcrs'],
    ['no credential', ['tpm', JSON.stringify(tpm)], 'the third argument: credential cannot be read (ENOENT)'],
    ['a register that there is not', ['azure-vtpm-sev-snp', '{"pcrs":[24]}'], 'the third argument: pcrs'],
    [
      'a handle that is none',
      ['azure-vtpm-sev-snp', '{"pcrs":[4],"handle":7}'],
      'the third argument: handle',
    ],
    ['an addon elsewhere', ['nitro', '{"addonPath":"../addon.node"}'], 'the third argument: addonPath'],
    [
      'an addon by its address',
      ['nitro', '{"addonPath":"file:///addon.node"}'],
      'the third argument: addonPath',
    ],
  ])('%s ends the process, which says why and calls nobody', (_what, args, message) => {
    const program = join(vm.bundleDir, 'entry-vm.mjs')
    // Nobody listens there: whoever called would end otherwise.
    const all = ['--no-warnings', program, JSON.stringify({ port: 1 }), ...args]
    const { status, stderr } = spawnSync(process.execPath, all, { cwd: home, encoding: 'utf8' })
    expect([status, stderr.startsWith(`entry vm: ${message}`), stderr.split('\n').length]).toEqual([
      2,
      true,
      2,
    ])
  })
})

const absent = noSwtpm()

describe.skipIf(absent !== null)(`the entry vm with a TPM ${absent ?? ''}`, () => {
  const handle = 0x81010010
  const pcrs = [4, 7, 11]
  const authority = () => generateSigningKeyPair(new Uint8Array(32).fill(3))
  const builder = () => generateSigningKeyPair(new Uint8Array(32).fill(4))
  const valueAfter = (event: Uint8Array) => toHex(sha256(new Uint8Array(32), event))
  let tpm: SoftwareTpm
  let ekRoot: string
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.run('pcrextend', `4:sha256=${toHex(seeded('image'))}`)
    await tpm.run('pcrextend', `11:sha256=${toHex(seeded('parts'))}`)
    const [intermediate, root] = tpm.authorities as [Uint8Array, Uint8Array]
    const own = { tcti: tpm.tcti, handle }
    const { request } = await requestEnrollment({
      ...own,
      keyType: 'ecc',
      ek: 'rsa',
      intermediates: [intermediate],
    })
    const nowMs = Date.now()
    const ek = await verifyEnrollmentRequest({
      request,
      roots: [root],
      intermediates: [],
      revocationLists: 'unchecked',
      nowMs,
    })
    ekRoot = ek.ekRootSpkiSha256
    const { sealed, pending } = await offerAkCredential(ek, request.akPublic)
    const offer = { id: '00'.repeat(16), akName: pending.akName, ek: 'rsa', sealed } as const
    const { answer } = await answerOffer(offer, own)
    const token = await issueAkCredential({
      pending,
      answer,
      authority: authority(),
      nowMs,
      lifetimeSeconds: 3600,
    })
    writeFileSync(join(home, 'ak.jws'), encodeTokenFile(token))
  }, 60_000)
  afterAll(() => tpm?.stop())

  const start = (changes: object = {}) => {
    const options = { handle, pcrs, credential: join(home, 'ak.jws'), tcti: tpm.tcti, ...changes }
    return attach(['tpm', JSON.stringify(options)], { PATH: process.env.PATH })
  }

  test('gets a key for what was booted, and answers', async () => {
    const enclave = await start()
    const challenge = await challengeFor(world)
    const offer = await enclave.beginActivation(challenge.token)
    expect(offer.evidence.platform).toBe('tpm')
    const manifest = toHex(manifestDigest(offer.manifest))
    const token = await signReference({
      signer: builder(),
      release: 'image-1',
      platform: 'tpm',
      measurement: { pcr4: valueAfter(seeded('image')), pcr11: valueAfter(seeded('parts')) },
      manifest,
    })
    const signers = [keyThumbprint(builder().publicKey)]
    const section = { ekRoots: [ekRoot], pcrs: { 7: ['00'.repeat(32)] }, akNames: 'any' }
    const policy = {
      ...lenientPolicy,
      minimumTier: 'process',
      allowUnattested: [],
      manifests: [{ sha384: manifest }],
      referenceSigners: signers,
      platforms: { tpm: section },
    }
    const response = await respond(world, challenge, offer, {
      admission: {
        policy: parsePolicy(policy, [tpmVerifier]),
        verifiers: [tpmVerifier],
        trustStores: [
          tpmTrustStore({ authorities: [keyThumbprint(authority().publicKey)], ekRoots: [ekRoot] }),
        ],
        references: [await verifyReference(token, signers)],
      },
    })
    expect((await enclave.finishActivation(response)).usage.unitsLeft).toBe(100)
    const query = queryOf(1)
    const { data } = (await enclave.infer(query)).outputs.get('y') as Tensor
    for (const [index, value] of expectedAnswer(query).entries())
      expect((data as Float32Array)[index]).toBeCloseTo(value, 5)
    await enclave.close()
    await enclave.closed
  })

  test('a handle without a key, and a TPM that is not there, end the activation with their code', async () => {
    for (const changes of [{ handle: handle + 1 }, { tcti: 'device:/nowhere' }]) {
      const enclave = await start(changes)
      const { token } = await challengeFor(world)
      await expect(enclave.beginActivation(token)).rejects.toMatchObject({
        code: 'ATTESTATION_DEVICE_FAILED',
      })
      enclave.disconnect()
      await enclave.closed
    }
  })
})

const reason = missingForPreload()

describe.skipIf(reason !== null)(`the entry vm in a Nitro enclave ${reason ?? ''}`, () => {
  const document = new Uint8Array(500).fill(0xdd)
  const unavailable = { code: 'ATTESTATION_DEVICE_UNAVAILABLE' }
  let preload: string
  beforeAll(() => {
    preload = buildPreload(home)
    writeFileSync(join(home, 'nsm'), encodeCbor({ Attestation: { document } }))
  })

  const start = (...options: readonly string[]) =>
    attach(['nitro', ...options], {
      LD_PRELOAD: preload,
      EMULATED_FROM: '/dev/nsm',
      EMULATED_TO: join(home, 'nsm'),
      EMULATED_NSM_REQUEST: join(home, 'request'),
    })

  test('needs the addon beside it', async () => {
    expect(existsSync(join(vm.bundleDir, 'mlcapsule-nsm.node'))).toBe(false)
    const enclave = await start()
    await expect(enclave.beginActivation((await challengeFor(world)).token)).rejects.toMatchObject(
      unavailable,
    )
    enclave.disconnect()
    await enclave.closed
  })

  test.each([
    ['under its own name', 'mlcapsule-nsm.node', []],
    ['under another', 'other.node', ['{"addonPath":"other.node"}']],
  ])('asks its module for a document over the report data, by the addon %s', async (_what, name, options) => {
    const addon = buildAddon({
      packageRoot: join(import.meta.dirname, '..', '..', 'packages', 'attestation'),
      source: 'native/nsm.c',
      name,
      outputFolder: vm.bundleDir,
    })
    expect(addon.status).toBe('built')
    const enclave = await start(...options)
    const challenge = await challengeFor(world)
    const offer = await enclave.beginActivation(challenge.token)
    expect(offer.evidence).toEqual({ platform: 'nitro', bytes: document })
    const asked = decodeCbor(new Uint8Array(readFileSync(join(home, 'request'))), { maxSizeBytes: 4096 })
    expect(asked).toMatchObject({ Attestation: { user_data: activationReportData(challenge, offer) } })
    enclave.disconnect()
    await enclave.closed
  })
})

describe('the entry vm on Azure', () => {
  test('without tpm2-tools there is no evidence', async () => {
    const enclave = await attach(['azure-vtpm-sev-snp', '{"pcrs":[4,11]}'], { PATH: join(home, 'none') })
    await expect(enclave.beginActivation((await challengeFor(world)).token)).rejects.toMatchObject({
      code: 'ATTESTATION_DEVICE_UNAVAILABLE',
    })
    enclave.disconnect()
    await enclave.closed
  })
})
