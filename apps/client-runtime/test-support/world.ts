// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import {
  type ActivationRequest,
  activationReportData,
  createChallenge,
  createResponse,
  manifestDigest,
  sealRelease,
  verifyRequest,
} from '@mlcapsule/attestation'
import { type ImagePreprocessing, openCapsule, writeCapsule } from '@mlcapsule/capsule-format'
import { fileCapsuleSink, fileSource } from '@mlcapsule/capsule-format/node'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  randomBytes,
  Secret,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { issueLicense, type LicenseClaims, ledgerIdOf } from '@mlcapsule/metering'
import { ServiceError } from '../src/errors.ts'
import { CapsuleRecords } from '../src/node/capsule-records.ts'
import { readImage } from '../src/node/read-image.ts'
import { makePrivateFolder, openStateDir } from '../src/node/state-dir.ts'
import { MlCapsule } from '../src/sdk/ml-capsule.ts'
import type { ServiceClient } from '../src/sdk/service-client.ts'
import { createMachine, type Machine, ModelEnclave, manifest } from './model-enclave.ts'

const preprocessing: ImagePreprocessing = {
  kind: 'image',
  layout: 'NCHW',
  colorOrder: 'gray',
  resizeShorterSide: null,
  crop: null,
  scaleNano: 3_921_569,
  meanNano: [0],
  stdNano: [1_000_000_000],
}

/** A provider's keys, a capsule of its in a folder, and a service that grants to whoever asks. */
export async function createProvider(folder: string, { queries = 20, blockMax = 4 } = {}) {
  await cryptoReady()
  const publisher = generateSigningKeyPair()
  const authority = generateSigningKeyPair()
  const thumbprint = keyThumbprint(authority.publicKey)
  const path = join(folder, `${toHex(randomBytes(4))}.capsule`)
  const packed = await writeCapsule(await fileCapsuleSink(path), {
    core: {
      modelName: 'Brightness',
      modelVersion: 1,
      inputs: [{ name: 'image', dtype: 'float32', shape: [1, 1, 2, 2] }],
      outputs: [{ name: 'scores', dtype: 'float32', shape: [1, 2] }],
      preprocessing,
      labels: ['dark', 'bright'],
      minimumTier: 'none',
      authority: [thumbprint],
    },
    publisher,
    program: new Uint8Array(64),
    weights: { sizeBytes: 5000, chunks: [new Uint8Array(5000)] },
    pageSizeBytes: 4096,
  })

  const challengeFor = async (customerKey: Uint8Array): Promise<string> => {
    const { token } = await createChallenge({
      authority,
      customerKey,
      order: 'order-1',
      capsuleId: packed.header.capsuleId,
      purpose: 'activate',
      nowMs: Date.now(),
      lifetimeSeconds: 600,
    })
    return token
  }

  const respond = async (request: ActivationRequest): Promise<string> => {
    const license = await issueLicense({ authority, claims: claimsFor(request, { queries, blockMax }) })
    const release = await sealRelease({
      contentKey: packed.contentKey,
      defenseSeed: Secret.fromBytes('defense-seed', randomBytes(32)),
      stateKey: Secret.fromBytes('state-key', randomBytes(32)),
      releaseKey: request.releaseKey,
      reportData: activationReportData(request.challenge, request),
      license: license.token,
    })
    const challengeId = request.challenge.claims.jti
    return await createResponse({ authority, challengeId, license: license.token, release })
  }

  const answered = new Map<string, { request: string; response: string }>()
  const activate = async (token: string): Promise<string> => {
    const request = await verifyRequest(token, [thumbprint])
    const { jti } = request.challenge.claims
    const earlier = answered.get(jti)
    if (earlier !== undefined && earlier.request !== token) {
      throw new ServiceError({
        code: 'ACTIVATION_REPLAYED',
        message: 'answered',
        remedy: 'ask anew',
        status: 409,
      })
    }
    const response = earlier?.response ?? (await respond(request))
    answered.set(jti, { request: token, response })
    return response
  }

  /** @param customerKey of the only customer there is */
  const serviceFor = (customerKey: Uint8Array): ServiceClient => ({
    url: 'test:',
    requestChallenge: () => challengeFor(customerKey),
    activate,
    sendStatement: () => Promise.resolve('accepted'),
  })
  /** How many licenses there are. */
  const grantCount = () => answered.size
  return { path, publisher, authority: [thumbprint], packed, challengeFor, activate, serviceFor, grantCount }
}

export type Provider = Awaited<ReturnType<typeof createProvider>>

function claimsFor(
  { identityKey, anchor }: ActivationRequest,
  { queries, blockMax }: { queries: number; blockMax: number },
): Omit<LicenseClaims, 'iss'> {
  const iat = Math.floor(Date.now() / 1000)
  return {
    sub: 'customer-1',
    jti: `license-${toHex(randomBytes(4))}`,
    iat,
    nbf: iat,
    exp: iat + 86_400,
    model: 'brightness',
    versions: { min: 1, max: 1 },
    ledger: toBase64Url(ledgerIdOf(identityKey)),
    cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(identityKey) } },
    tier: 'none',
    manifest: toHex(manifestDigest(manifest)),
    anchor: toBase64Url(anchor ?? new Uint8Array(0)),
    grant: { seq: 1, units: queries },
    tariff: { unit: 1, blocked: 1, surchargeMax: 0 },
    lease: { queries, poweredHours: 1000 },
    blockMax,
    statementEvery: 1000,
    answerPolicy: 'default',
    defenses: [],
    floors: { version: 0, revocation: 0 },
  }
}

/**
 * Opens the capsule with an enclave of the tests' own.
 * @param machine state that outlives the enclave; a new one when absent
 */
export async function openWith(
  provider: Provider,
  stateDir: string,
  machine: Machine = createMachine(),
): Promise<{ model: MlCapsule; enclave: ModelEnclave; machine: Machine; records: CapsuleRecords }> {
  const state = await openStateDir(stateDir)
  const capsule = await openCapsule(await fileSource(provider.path), {
    publishers: [provider.publisher.publicKey],
  })
  const paths = state.capsule(capsule.header.capsuleId)
  await makePrivateFolder(paths.path)
  const records = new CapsuleRecords(paths)
  const enclave = new ModelEnclave(machine, capsule, (entries) => records.keepReceipts(entries))
  const customer = generateSigningKeyPair(machine.customerSeed)
  const model = new MlCapsule({ capsule, enclave, records, customer, readImage })
  return { model, enclave, machine, records }
}
