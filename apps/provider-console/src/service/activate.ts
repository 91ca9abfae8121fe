// SPDX-License-Identifier: Apache-2.0
import {
  type ActivationRequest,
  AttestationError,
  createResponse,
  decideActivation,
  parsePolicy,
  type RefusalReason,
  refusalError,
  sealRelease,
  verifyRequest,
} from '@mlcapsule/attestation'
import type { IsolationTier } from '@mlcapsule/contracts'
import { equalBytes, fromBase64Url, wipe } from '@mlcapsule/crypto'
import { z } from 'zod'
import { cachedCollateral, findPlatform } from '../attestation/endorsements.ts'
import { defenseSeedFor, openContentKey, stateKeyFor } from '../keys/at-rest.ts'
import type { Queries } from '../store/database.ts'
import { type ActivationRow, insertRow, type OrderRow, selectRows } from '../store/repository.ts'
import { findCapsule } from './capsules.ts'
import type { ServiceContext } from './context.ts'
import { type GrantInput, issueGrant } from './grants.ts'
import { assertOrderOpen, lockOrder } from './orders.ts'
import { parseWith, tokenText } from './schema.ts'

const activateSchema = z.strictObject({ request: tokenText })

export interface ActivationAnswer {
  /** Compact JWS of type `mlc-response+jwt`. */
  readonly response: string
}

type Outcome = ActivationAnswer | { readonly refused: readonly RefusalReason[] }

/**
 * Answers an activation request. One transaction consumes the challenge, carves the grant out of the order and stores the
 * response; the same request then gets the same response, and any other for that challenge `ACTIVATION_REPLAYED`. A
 * refusal changes nothing but the record of it, so the request may come again once what it failed on is put right.
 * @throws ProviderError, AttestationError, CryptoError: what is wrong with the request
 * @see spec/activation.md
 */
export async function activate(context: ServiceContext, input: unknown): Promise<ActivationAnswer> {
  const { request: token } = parseWith(activateSchema, input)
  const request = await verifyRequest(token, [context.authorityThumbprint])
  const outcome = await context.database.transaction((queries) => decide(context, queries, request))
  if ('refused' in outcome) throw refusalError(outcome.refused)
  return outcome
}

async function decide(
  context: ServiceContext,
  queries: Queries,
  request: ActivationRequest,
): Promise<Outcome> {
  const { claims } = request.challenge
  // Locked first: two requests for one order wait for one another.
  const order = await lockOrder(queries, claims.order)
  const capsule = await findCapsule(queries, order.capsuleId)
  assertChallengeIsOurs(request, order)
  const [earlier] = await selectRows<ActivationRow>(queries, 'activations', 'challenge_id = $1', [claims.jti])
  const policy = parsePolicy(JSON.parse(order.policy))
  const platform = findPlatform(request.evidence.platform, context.platforms)
  const decision = await decideActivation({
    request,
    challenge: { claims, answeredRequestHash: earlier?.requestHash ?? null },
    capsule: {
      capsuleId: fromBase64Url(capsule.capsuleId),
      headerHash: capsule.headerHash,
      minimumTier: capsule.minimumTier as IsolationTier,
    },
    policy,
    verifiers: context.platforms.map(({ verifier }) => verifier),
    // Offered only to evidence of its own kind: the policy then says whether it may come in.
    trustStores: platform === undefined ? [] : [await platform.trustStore()],
    collateral: await cachedCollateral(request.evidence, platform, context.collateral),
    references: await context.references.trustedBy(policy),
    nowMs: context.now(),
    newestSeenMs: await context.collateral.newestSeenMs(),
  })
  if (decision.status === 'repeated' && earlier !== undefined) return { response: earlier.response }
  if (decision.status !== 'accepted') {
    const refused = decision.status === 'refused' ? decision.reasons : []
    await recordRefusal(context, queries, order, refused)
    return { refused }
  }
  if (decision.newestSignedAtMs !== null) await context.collateral.noteSeen(decision.newestSignedAtMs)
  return await grant(context, queries, { request, order, capsule, ...decision })
}

/** The challenge is signed with our key; its claims still have to be those of the order that it names. */
function assertChallengeIsOurs({ challenge }: ActivationRequest, order: OrderRow): void {
  const isOurs =
    challenge.claims.purpose === 'activate' && equalBytes(challenge.customerKey, order.customerPublicKey)
  if (isOurs) return
  throw new AttestationError(
    'ACTIVATION_BINDING_MISMATCH',
    'the challenge does not belong to the order it names',
    {
      field: 'request.challenge',
    },
  )
}

async function grant(
  context: ServiceContext,
  queries: Queries,
  input: GrantInput & { readonly reportData: Uint8Array },
): Promise<ActivationAnswer> {
  const { request, order, capsule } = input
  assertOrderOpen(order, context.now())
  const license = await issueGrant(context, queries, input)
  const capsuleId = fromBase64Url(capsule.capsuleId)
  const keys = {
    contentKey: await openContentKey(context.serviceKey, capsuleId, capsule.sealedContentKey),
    defenseSeed: defenseSeedFor(context.serviceKey, order.customerPublicKey, capsule.modelId),
    stateKey: stateKeyFor(context.serviceKey, request.identityKey),
  }
  try {
    const release = await sealRelease({
      ...keys,
      releaseKey: request.releaseKey,
      reportData: input.reportData,
      license: license.token,
    })
    const { jti } = request.challenge.claims
    const response = await createResponse({
      authority: context.authority,
      challengeId: jti,
      license: license.token,
      release,
    })
    await insertRow(queries, 'activations', {
      challengeId: jti,
      nonce: request.challenge.nonce,
      requestHash: request.hash,
      response,
      licenseId: license.licenseId,
      atMs: context.now(),
    } satisfies ActivationRow)
    return { response }
  } finally {
    for (const key of Object.values(keys)) wipe(key)
  }
}

const refusalsKept = 100

async function recordRefusal(
  context: ServiceContext,
  queries: Queries,
  order: OrderRow,
  reasons: readonly RefusalReason[],
): Promise<void> {
  for (const { code, detail } of reasons) {
    await queries.query('INSERT INTO refusals (order_id, code, detail, at_ms) VALUES ($1, $2, $3, $4)', [
      order.orderId,
      code,
      detail,
      context.now(),
    ])
  }
  await queries.query(
    `DELETE FROM refusals WHERE order_id = $1 AND refusal_id NOT IN
      (SELECT refusal_id FROM refusals WHERE order_id = $1 ORDER BY refusal_id DESC LIMIT ${refusalsKept})`,
    [order.orderId],
  )
}
