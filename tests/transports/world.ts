// SPDX-License-Identifier: Apache-2.0
import {
  createChallenge,
  createRequest,
  createResponse,
  type DecideActivationInput,
  decideActivation,
  manifestDigest,
  parsePolicy,
  sealRelease,
  verifyRequest,
} from '@mlcapsule/attestation'
import { simulatedTrustStore, simulatedVerifier } from '@mlcapsule/attestation/simulated'
import {
  type Capsule,
  type DefenseConfig,
  memoryCapsuleSink,
  memorySource,
  openCapsule,
  type WriteCapsuleOptions,
  writeCapsule,
} from '@mlcapsule/capsule-format'
import type { Tensor, TensorSpec } from '@mlcapsule/contracts'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  randomBytes,
  Secret,
  type SigningKeyPair,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import type { ActivationOffer } from '@mlcapsule/enclave-bridge'
import { encodeProgram } from '@mlcapsule/inference-kernels/program'
import { noActivation, ProgramBuilder } from '@mlcapsule/inference-kernels/testing'
import { issueLicense, type LicenseClaims, ledgerIdOf } from '@mlcapsule/metering'

const inputCount = 64
const classCount = 4
export const modelName = 'tiny-classifier'

/** input [batch, inputs] × matrix + bias, then softmax: small enough to be computed by hand. */
export function denseModel(inputCount: number, classCount: number) {
  const matrix = Float32Array.from({ length: inputCount * classCount }, (_, i) => Math.sin(i) / 4)
  const bias = Float32Array.from({ length: classCount }, (_, i) => [0.1, -0.2, 0.3, 0][i % 4] as number)
  const builder = new ProgramBuilder()
  const batch = builder.symbol('batch')
  const x = builder.input('x', [batch, inputCount])
  const scores = builder.step({
    op: 'dense',
    input: x,
    weights: builder.panels(matrix, [inputCount, classCount]),
    bias: builder.weights(bias, [classCount]),
    residual: null,
    output: builder.arena([batch, classCount]),
    activation: noActivation,
  })
  const y = builder.step({
    op: 'softmax',
    input: scores,
    output: builder.arena([batch, classCount]),
    axis: 1,
    softmax: 'softmax',
  })
  const { program, weights } = builder.output('y', y).build()
  const inputs: TensorSpec[] = [{ name: 'x', dtype: 'float32', shape: ['batch', inputCount] }]
  const outputs: TensorSpec[] = [{ name: 'y', dtype: 'float32', shape: ['batch', classCount] }]
  return { matrix, bias, program: encodeProgram(program), weights, inputs, outputs }
}

const tinyModel = denseModel(inputCount, classCount)

/** A query: one row of numbers per item. */
export function queryOf(seed: number, itemCount = 1): Map<string, Tensor> {
  const data = Float32Array.from({ length: itemCount * inputCount }, (_, i) => Math.cos(seed * 7 + i))
  return new Map([['x', { dtype: 'float32', shape: [itemCount, inputCount], data }]])
}

/** What the model says to a query, from its definition. */
export function expectedAnswer(inputs: ReadonlyMap<string, Tensor>): number[] {
  const { data, shape } = inputs.get('x') as Tensor
  const answer: number[] = []
  for (let item = 0; item < (shape[0] as number); item++) {
    const scores = Array.from({ length: classCount }, (_, n) => {
      let sum = tinyModel.bias[n] as number
      for (let k = 0; k < inputCount; k++) {
        sum += Number(data[item * inputCount + k]) * (tinyModel.matrix[k * classCount + n] as number)
      }
      return Math.exp(sum)
    })
    const total = scores.reduce((a, b) => a + b, 0)
    answer.push(...scores.map((it) => it / total))
  }
  return answer
}

/** What goes into the capsule. */
export interface WorldModel {
  readonly program: Uint8Array
  readonly weights: Uint8Array | WriteCapsuleOptions['weights']
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface WorldOptions {
  readonly model?: WorldModel
  readonly defenses?: readonly DefenseConfig[]
  readonly change?: Partial<WriteCapsuleOptions>
}

/** A provider with a packed model, and a customer. */
export async function createWorld({ model = tinyModel, defenses = [], change = {} }: WorldOptions = {}) {
  await cryptoReady()
  const publisher = generateSigningKeyPair()
  const authority = generateSigningKeyPair()
  const customer = generateSigningKeyPair()
  const sink = memoryCapsuleSink()
  const packed = await writeCapsule(sink, {
    core: {
      modelName,
      modelVersion: 1,
      inputs: model.inputs,
      outputs: model.outputs,
      minimumTier: 'none',
      authority: [keyThumbprint(authority.publicKey)],
    },
    publisher,
    program: model.program,
    weights:
      model.weights instanceof Uint8Array
        ? { sizeBytes: model.weights.length, chunks: [model.weights] }
        : model.weights,
    defenses,
    pageSizeBytes: 4096,
    ...change,
  })
  const bytes = sink.bytes()
  const open = (): Promise<Capsule> => openCapsule(memorySource(bytes), { publishers: [publisher.publicKey] })
  return { publisher, authority, customer, packed, bytes, open, defenses }
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Lets simulated platforms in. */
export const lenientPolicy = parsePolicy({
  version: 1,
  name: 'test',
  minimumTier: 'none',
  allowUnattested: ['worker', 'process'],
  manifests: 'any',
  maxEvidenceAgeSeconds: 'any',
  simulatedRoots: 'any',
  referenceSigners: [],
  platforms: {},
  tcbStatuses: 'any',
  advisories: 'any',
  debug: false,
})

const simulatedPlatforms = {
  policy: lenientPolicy,
  verifiers: [simulatedVerifier],
  trustStores: [simulatedTrustStore('any')],
}

export async function challengeFor(
  world: World,
  change: { capsuleId?: Uint8Array; lifetimeSeconds?: number } = {},
) {
  return await createChallenge({
    authority: world.authority,
    customerKey: world.customer.publicKey,
    order: 'order-1',
    capsuleId: world.packed.capsuleId,
    purpose: 'activate',
    nowMs: Date.now(),
    lifetimeSeconds: 600,
    ...change,
  })
}

export interface ProviderOptions {
  readonly units?: number
  readonly blockMax?: number
  readonly claims?: Partial<LicenseClaims>
  /** Signs license and response; by default the authority of the capsule. */
  readonly signer?: SigningKeyPair
  readonly contentKey?: Secret<'content-key'>
  /** Whom the provider lets in; simulated platforms when absent. */
  readonly admission?: Pick<DecideActivationInput, 'policy' | 'verifiers' | 'trustStores' | 'references'>
}

/** The customer's signature, then the provider's whole part. @returns the response */
export async function respond(
  world: World,
  challenge: Awaited<ReturnType<typeof challengeFor>>,
  offer: ActivationOffer,
  options: ProviderOptions = {},
): Promise<string> {
  const { customer } = world
  const request = await createRequest({ customer, challenge: challenge.token, ...offer })
  return await answerRequest(world, challenge, request, options)
}

/** The provider's part: verifies the request, appraises, licenses, releases. @returns the response */
export async function answerRequest(
  world: World,
  challenge: Awaited<ReturnType<typeof challengeFor>>,
  requestToken: string,
  options: ProviderOptions = {},
): Promise<string> {
  const { authority, packed } = world
  const {
    units = 100,
    blockMax = 8,
    claims = {},
    signer = authority,
    admission = simulatedPlatforms,
  } = options
  const request = await verifyRequest(requestToken, [keyThumbprint(authority.publicKey)])
  const nowMs = Date.now()
  const decision = await decideActivation({
    challenge: { claims: challenge.claims, answeredRequestHash: null },
    request,
    capsule: { capsuleId: packed.capsuleId, headerHash: packed.headerHash, minimumTier: 'none' },
    ...admission,
    nowMs,
  })
  if (decision.status !== 'accepted') throw new Error(`the provider says ${decision.status}`)
  const now = Math.floor(nowMs / 1000)
  const license = await issueLicense({
    authority: signer,
    claims: {
      sub: 'customer-1',
      jti: 'license-1',
      iat: now,
      nbf: now,
      exp: now + 86_400,
      model: packed.header.modelId,
      versions: { min: 1, max: 1 },
      ledger: toBase64Url(ledgerIdOf(request.identityKey)),
      cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(request.identityKey) } },
      tier: 'none',
      manifest: toHex(manifestDigest(request.manifest)),
      anchor: toBase64Url(request.anchor ?? new Uint8Array(1)),
      grant: { seq: 1, units },
      tariff: { unit: 1, blocked: 1, surchargeMax: 0 },
      lease: { queries: 1_000_000, poweredHours: 720 },
      blockMax,
      statementEvery: 1000,
      answerPolicy: 'standard',
      defenses: world.defenses.map(({ name, version }) => ({ name, version })),
      floors: { version: 0, revocation: 0 },
      ...claims,
    },
  })
  const release = await sealRelease({
    releaseKey: request.releaseKey,
    reportData: decision.reportData,
    license: license.token,
    contentKey: options.contentKey ?? packed.contentKey,
    defenseSeed: Secret.fromBytes('defense-seed', randomBytes(32)),
    stateKey: Secret.fromBytes('state-key', randomBytes(32)),
  })
  return await createResponse({
    authority: signer,
    challengeId: challenge.claims.jti,
    license: license.token,
    release,
  })
}
