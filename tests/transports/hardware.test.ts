// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  activationReportData,
  type EnclaveManifest,
  type EvidenceVerifier,
  manifestDigest,
  parsePolicy,
  signReference,
  verifyBy,
  verifyReference,
} from '@mlcapsule/attestation'
import {
  buildPreload,
  type EmulatedDevice,
  emulateGramine,
  emulateTsm,
  missingForPreload,
} from '@mlcapsule/attestation/testing'
import { type ActivateOptions, type MlCapsule, openMlCapsule } from '@mlcapsule/client-runtime'
import type { Tensor } from '@mlcapsule/contracts'
import { generateSigningKeyPair, keyThumbprint, toHex } from '@mlcapsule/crypto'
import type { EnclaveHandle, StreamChannel } from '@mlcapsule/enclave-bridge'
import { capsulePages, startEnclave } from '@mlcapsule/enclave-bridge/host'
import { measureBundle, openStateDir } from '@mlcapsule/enclave-bridge/node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attachEntry, buildEntry, connectEntry, type EntryStart, startEntry } from './entry-process.ts'
import {
  answerRequest,
  challengeFor,
  createWorld,
  expectedAnswer,
  lenientPolicy,
  queryOf,
  respond,
  type World,
} from './world.ts'

const reason = missingForPreload()

interface Variant {
  readonly entry: 'gramine' | 'vm'
  readonly platform: 'sgx' | 'tdx' | 'sev-snp'
  readonly devicePath: string
  readonly reportDataOffsetBytes: number
  start(): Promise<EmulatedDevice>
}

const reportsPath = '/sys/kernel/config/tsm/report'
const tdx = { provider: 'tdx_guest', head: '0400', reportSizeBytes: 700, reportDataOffsetBytes: 568 }
const snp = {
  provider: 'sev_guest',
  reportSizeBytes: 1184,
  reportDataOffsetBytes: 0x50,
  auxblobSizeBytes: 100,
}
const variants: readonly Variant[] = [
  {
    entry: 'gramine',
    platform: 'sgx',
    devicePath: '/dev/attestation',
    reportDataOffsetBytes: 368,
    start: () => emulateGramine(),
  },
  { entry: 'vm', platform: 'tdx', devicePath: reportsPath, ...tdx, start: () => emulateTsm(tdx) },
  { entry: 'vm', platform: 'sev-snp', devicePath: reportsPath, ...snp, start: () => emulateTsm(snp) },
]

// The built entries run as they are, in a process that finds an emulated device at the real one's path.
describe.skipIf(reason !== null)(`entries on hardware${reason === null ? '' : ` (${reason})`}`, () => {
  const home = mkdtempSync(join(tmpdir(), 'mlcapsule-hardware-'))
  let preload: string
  let world: World
  const children = new Set<ChildProcess>()
  let device: EmulatedDevice | undefined
  beforeAll(async () => {
    preload = buildPreload(home)
    world = await createWorld()
    for (const entry of ['gramine', 'vm'] as const) await buildEntry(home, entry)
  }, 60_000)
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    children.clear()
    await device?.end()
    device = undefined
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const built = ({ entry }: Variant) => ({ entry, bundleDir: join(home, entry) })

  function startOf(variant: Variant): EntryStart {
    const { folder } = device as EmulatedDevice
    return {
      args: [variant.platform],
      env: {
        LD_PRELOAD: preload,
        EMULATED_FROM: variant.devicePath,
        EMULATED_TO: folder,
        EMULATED_TSM_DIR: variant.entry === 'vm' ? folder : join(home, 'none'),
      },
      onStart: (child) => children.add(child),
    }
  }
  const start = (variant: Variant): Promise<StreamChannel> => connectEntry(built(variant), startOf(variant))

  const attach = async (variant: Variant, records?: Map<string, Uint8Array>): Promise<EnclaveHandle> =>
    await attachEntry(built(variant), await start(variant), world, records)

  /** A provider that lets in what the emulated device binds. No vendor signs that: it proves the way, and no isolation. */
  async function admission({ platform, reportDataOffsetBytes: at }: Variant, manifest: EnclaveManifest) {
    const signer = generateSigningKeyPair()
    const measurement = { emulated: '11' }
    const examine: EvidenceVerifier['examine'] = async ({ bytes }) => ({
      reportData: bytes.subarray(at, at + 64),
      unbound: {
        platform,
        rootKind: 'hardware',
        tier: platform,
        root: '00',
        manifestSha384: null,
        measurement,
        debug: false,
        tcbStatus: 'none',
        advisoryIds: [],
        claims: null,
      },
    })
    const verifier: EvidenceVerifier = {
      kind: 'verifier',
      name: platform,
      version: 1,
      rules: {},
      identifyingRegisters: [['emulated']],
      collateralNames: () => [[]],
      examine,
      verify: verifyBy(examine),
    }
    const signers = [keyThumbprint(signer.publicKey)]
    const manifestHex = toHex(manifestDigest(manifest))
    const token = await signReference({
      signer,
      release: 'test-1',
      platform,
      measurement,
      manifest: manifestHex,
    })
    return {
      policy: parsePolicy({
        ...lenientPolicy,
        minimumTier: platform,
        allowUnattested: [],
        referenceSigners: signers,
        platforms: { [platform]: {} },
      }),
      verifiers: [verifier],
      trustStores: [{ platform, rootKind: 'hardware' as const }],
      references: [await verifyReference(token, signers)],
    }
  }

  describe.each(variants)('$entry on $platform', (variant) => {
    test('activates by evidence of its device, and answers', async () => {
      device = await variant.start()
      const handle = await attach(variant)
      const challenge = await challengeFor(world)
      const offer = await handle.beginActivation(challenge.token)
      expect(offer.evidence.platform).toBe(variant.platform)
      const at = variant.reportDataOffsetBytes
      const expected = activationReportData(challenge, offer)
      expect(offer.evidence.bytes.subarray(at, at + 64)).toEqual(expected)
      const response = await respond(world, challenge, offer, {
        admission: await admission(variant, offer.manifest),
      })
      expect((await handle.finishActivation(response)).usage.unitsLeft).toBe(100)
      const query = queryOf(1)
      const answer = await handle.infer(query)
      const data = (answer.outputs.get('y') as Tensor).data as Float32Array
      for (const [index, value] of expectedAnswer(query).entries()) expect(data[index]).toBeCloseTo(value, 5)
      expect(await handle.close()).not.toBeNull()
      await handle.closed
      if (variant.entry === 'vm') expect(readdirSync(device.folder)).toEqual([])
    })
  })

  const gramine = variants[0] as Variant

  test('a client waits for it, and is answered after an activation of its own', async () => {
    device = await gramine.start()
    writeFileSync(join(home, 'model.capsule'), world.bytes)
    const open = () =>
      openMlCapsule({
        capsule: join(home, 'model.capsule'),
        publishers: [world.publisher.publicKey],
        stateDir: join(home, 'state'),
        enclave: {
          manifest: join(built(gramine).bundleDir, 'enclave-manifest.json'),
          listen: { onListening: ({ port }) => startEntry(built(gramine), port, startOf(gramine)) },
        },
      })
    const activate = async (model: MlCapsule, options: ActivateOptions = {}) => {
      const client = { ...world, customer: { ...world.customer, publicKey: model.customerKey } }
      const challenge = await challengeFor(client)
      const request = await model.requestActivation(challenge.token, options)
      const admitted = await admission(gramine, model.enclave.manifest)
      return await model.finishActivation(
        await answerRequest(client, challenge, request, { admission: admitted }),
      )
    }
    const answered = async (model: MlCapsule) => {
      const query = queryOf(1)
      const { outputs } = await model.run(query)
      const data = (outputs.get('y') as Tensor).data as Float32Array
      for (const [index, value] of expectedAnswer(query).entries()) expect(data[index]).toBeCloseTo(value, 5)
    }
    {
      await using model = await open()
      expect(model.enclave).toMatchObject({ entry: 'gramine', transport: 'socket' })
      await activate(model)
      await answered(model)
    }
    await using again = await open()
    await expect(again.run(queryOf(1))).rejects.toMatchObject({ code: 'ENCLAVE_RECORD_INVALID' })
    await activate(again, { again: true })
    await answered(again)
    // Receipts of both licenses are kept: the first one's block is closed, the second one's still open.
    const chains = (await again.verifyReceipts()).map(({ chain }) => [
      chain.queryCount,
      chain.openReceiptCount,
    ])
    expect(chains.toSorted()).toEqual([
      [0, 1],
      [1, 0],
    ])
  })

  test('nothing outlives the process: neither a license nor an activation by files', async () => {
    device = await gramine.start()
    const records = new Map<string, Uint8Array>()
    const first = await attach(gramine, records)
    const waiting = await challengeFor(world)
    const waitingOffer = await first.beginActivation(waiting.token, 'file')
    const admitted = await admission(gramine, waitingOffer.manifest)
    const late = await respond(world, waiting, waitingOffer, { admission: admitted })
    const pending = records.get('pending') as Uint8Array
    const challenge = await challengeFor(world)
    const offer = await first.beginActivation(challenge.token)
    await first.finishActivation(await respond(world, challenge, offer, { admission: admitted }))
    await first.infer(queryOf(1))
    first.disconnect()
    await first.closed
    expect([...records.keys()].sort()).toEqual(['ledger', 'license'])

    const second = await attach(gramine, new Map([...records, ['pending', pending]]))
    const invalid = { code: 'ENCLAVE_RECORD_INVALID' }
    await expect(second.resume()).rejects.toMatchObject(invalid)
    await expect(second.finishActivation(late)).rejects.toMatchObject(invalid)
    second.disconnect()
    await second.closed
  })

  test('a host that plays the hardware is refused', async () => {
    device = await gramine.start()
    const { manifest } = await measureBundle({ bundleDir: join(home, 'gramine'), entry: 'gramine' })
    const state = await openStateDir(join(home, 'state'))
    const capsule = await world.open()
    const started = startEnclave(await start(gramine), {
      info: { entry: 'gramine', manifest, manifestSha384: '', kernels: 'wasm', transport: 'socket' },
      services: { ...state.records, readPages: capsulePages(capsule) },
      machine: state.machine,
      manifest,
      kernels: 'wasm',
      threadCount: 1,
      capsulePrefix: capsule.prefix,
      startTimeoutMs: 30_000,
    })
    await expect(started).rejects.toMatchObject({ code: 'ENCLAVE_STATE_INVALID', field: 'launch' })
    state.release()
  })

  test('a device that is none, or of another kind, ends the activation with its code', async () => {
    device = await emulateGramine({ type: 'none' })
    const onGramine = await attach(gramine)
    const challenge = await challengeFor(world)
    const unavailable = { code: 'ATTESTATION_DEVICE_UNAVAILABLE' }
    await expect(onGramine.beginActivation(challenge.token)).rejects.toMatchObject(unavailable)
    onGramine.disconnect()
    await onGramine.closed
    await device.end()
    device = await emulateTsm(snp)
    const onVm = await attach(variants[1] as Variant)
    await expect(onVm.beginActivation(challenge.token)).rejects.toMatchObject(unavailable)
    onVm.disconnect()
    await onVm.closed
  })
})
