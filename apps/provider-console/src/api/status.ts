// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, type MlCapsuleError } from '@mlcapsule/contracts'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ProviderError } from '../errors.ts'

const byCode: Readonly<Record<string, ContentfulStatusCode>> = {
  PROVIDER_CAPSULE_UNKNOWN: 404,
  PROVIDER_ORDER_UNKNOWN: 404,
  PROVIDER_LICENSE_UNKNOWN: 404,
  PROVIDER_ROUTE_UNKNOWN: 404,
  PROVIDER_REQUEST_TOO_LARGE: 413,
  PROVIDER_ORDER_SPENT: 409,
  PROVIDER_CAPSULE_EXISTS: 409,
  TOKEN_STATEMENT_DISCONTINUOUS: 409,
  LEDGER_FORKED: 409,
  ACTIVATION_REPLAYED: 409,
}

/** HTTP status of a coded error: by its code where that says more than its kind. */
export function statusOf(error: MlCapsuleError): ContentfulStatusCode {
  const status = byCode[error.code]
  if (status !== undefined) return status
  if (error.kind === 'usage' || error.kind === 'input') return 400
  if (error.kind === 'refused') return 403
  return error.kind === 'environment' ? 503 : 500
}

/** What the service says of an error: ours as they are, any other as an internal one that names nothing. */
export function publicError(error: unknown): MlCapsuleError {
  if (isMlCapsuleError(error) && error.kind !== 'internal') return error
  return new ProviderError('PROVIDER_INTERNAL', 'the service failed; nothing was granted', { cause: error })
}
