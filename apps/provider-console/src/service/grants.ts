// SPDX-License-Identifier: Apache-2.0
import { type AcceptedEnclave, type ActivationRequest, AttestationError } from '@mlcapsule/attestation'
import { fromBase64Url, randomBytes, toBase64Url, toHex } from '@mlcapsule/crypto'
import { issueLicense, type License, ledgerIdOf } from '@mlcapsule/metering'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import type { Queries } from '../store/database.ts'
import {
  type CapsuleRow,
  insertRow,
  type LicenseRow,
  type OrderRow,
  selectRows,
} from '../store/repository.ts'
import type { ServiceContext } from './context.ts'
import type { OrderTerms } from './order-terms.ts'
import { bytes32, parseWith } from './schema.ts'

export interface GrantInput {
  readonly request: ActivationRequest
  readonly order: OrderRow
  readonly capsule: CapsuleRow
  readonly attestation: AcceptedEnclave
}

/**
 * Most that is granted while an earlier enclave of this order has not accounted for itself: its grant counts as spent,
 * and losing ledgers must not be a way to more.
 */
export const unaccountedGrantUnits = 100

const daySeconds = 86_400

/**
 * Carves a grant out of an order and issues the license for it, in the caller's transaction, which holds the order.
 * @throws AttestationError `ACTIVATION_BINDING_MISMATCH` for an enclave that has a license already, or no anchor
 */
export async function issueGrant(
  context: ServiceContext,
  queries: Queries,
  input: GrantInput,
): Promise<{ readonly licenseId: string; readonly token: string }> {
  const { request, order } = input
  await assertNewEnclave(queries, request)
  const terms = JSON.parse(order.terms) as OrderTerms
  const units = await grantUnits(queries, order, terms)
  const licenseId = `license-${toHex(randomBytes(8))}`
  const license = await signLicense(context, input, { licenseId, units, terms })
  await insertRow(queries, 'licenses', {
    licenseId,
    orderId: order.orderId,
    ledgerId: license.claims.ledger,
    token: license.token,
    tokenHash: license.hash,
    identityKey: license.identityKey,
    units,
    tier: license.claims.tier,
    manifest: license.claims.manifest,
    issuedAtMs: context.now(),
  } satisfies LicenseRow)
  await queries.query(
    'UPDATE orders SET units_granted = units_granted + $2, grant_count = grant_count + 1 WHERE order_id = $1',
    [order.orderId, units],
  )
  return { licenseId, token: license.token }
}

function refuseEnclave(detail: string, field: string): never {
  throw new AttestationError('ACTIVATION_BINDING_MISMATCH', detail, { field })
}

/** One ledger has one license: an enclave that activates again makes itself a new identity. */
async function assertNewEnclave(queries: Queries, request: ActivationRequest): Promise<void> {
  const ledgerId = toBase64Url(ledgerIdOf(request.identityKey))
  const known = await selectRows(queries, 'licenses', 'ledger_id = $1', [ledgerId])
  if (known.length > 0) refuseEnclave('this enclave identity has a license already', 'request.identity')
}

async function grantUnits(queries: Queries, order: OrderRow, terms: OrderTerms): Promise<number> {
  const left = order.units - order.unitsGranted
  const unaccounted = await queries.query(
    `SELECT 1 FROM licenses WHERE order_id = $1
      AND NOT EXISTS (SELECT 1 FROM statements WHERE statements.license_id = licenses.license_id) LIMIT 1`,
    [order.orderId],
  )
  return Math.min(left, terms.grantUnits, unaccounted.length > 0 ? unaccountedGrantUnits : left)
}

async function signLicense(
  context: ServiceContext,
  { request, order, capsule, attestation }: GrantInput,
  { licenseId, units, terms }: { licenseId: string; units: number; terms: OrderTerms },
): Promise<License> {
  if (request.anchor === null) refuseEnclave('the enclave shows no anchor for its ledger', 'request.anchor')
  const iat = Math.floor(context.now() / 1000)
  return await issueLicense({
    authority: context.authority,
    claims: {
      sub: order.customer,
      jti: licenseId,
      iat,
      nbf: iat,
      exp: iat + terms.validForDays * daySeconds,
      model: capsule.modelId,
      versions: { min: capsule.modelVersion, max: capsule.modelVersion },
      ledger: toBase64Url(ledgerIdOf(request.identityKey)),
      cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(request.identityKey) } },
      tier: attestation.tier,
      manifest: attestation.manifestSha384,
      anchor: toBase64Url(request.anchor),
      grant: { seq: order.grantCount + 1, units },
      tariff: { unit: 1, blocked: 1, surchargeMax: 0 },
      lease: { queries: units, poweredHours: terms.leasePoweredHours },
      blockMax: terms.blockMax,
      statementEvery: terms.statementEvery,
      answerPolicy: 'standard',
      defenses: JSON.parse(capsule.defenses) as License['claims']['defenses'],
      floors: { version: 0, revocation: 0 },
    },
  })
}

export interface LicenseSummary {
  readonly licenseId: string
  readonly orderId: string
  readonly customer: string
  readonly modelName: string
  readonly units: number
  /** Units that the enclave has accounted for in statements. */
  readonly unitsUsed: number
  readonly tier: string
  readonly manifest: string
  readonly issuedAtMs: number
}

const licenseByHashSchema = z.strictObject({ licenseHash: bytes32 })

/** The license that a receipt or a statement names by its hash. @throws ProviderError `PROVIDER_LICENSE_UNKNOWN` */
export async function findLicenseToken(
  context: ServiceContext,
  input: unknown,
): Promise<{ readonly licenseId: string; readonly token: string }> {
  const { licenseHash } = parseWith(licenseByHashSchema, input)
  const [row] = await selectRows<LicenseRow>(context.database, 'licenses', 'token_hash = $1', [
    fromBase64Url(licenseHash),
  ])
  if (row !== undefined) return { licenseId: row.licenseId, token: row.token }
  throw new ProviderError('PROVIDER_LICENSE_UNKNOWN', 'no license with this hash was issued by this store', {
    field: 'licenseHash',
  })
}

export async function listLicenses(context: ServiceContext): Promise<readonly LicenseSummary[]> {
  const rows = await context.database.query<Record<string, string | number>>(
    `SELECT l.license_id, l.order_id, o.customer, c.model_name, l.units, l.tier, l.manifest, l.issued_at_ms,
        (SELECT COALESCE(sum(s.units), 0)::bigint FROM statements s WHERE s.license_id = l.license_id) AS units_used
      FROM licenses l JOIN orders o USING (order_id) JOIN capsules c USING (capsule_id)
      ORDER BY l.issued_at_ms, l.license_id`,
  )
  return rows.map((row) => ({
    licenseId: String(row.license_id),
    orderId: String(row.order_id),
    customer: String(row.customer),
    modelName: String(row.model_name),
    units: Number(row.units),
    unitsUsed: Number(row.units_used),
    tier: String(row.tier),
    manifest: String(row.manifest),
    issuedAtMs: Number(row.issued_at_ms),
  }))
}
