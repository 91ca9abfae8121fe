// SPDX-License-Identifier: Apache-2.0
import { parseHeader } from '@mlcapsule/capsule-format'
import { cryptoReady, fromBase64Url, toBase64Url, wipe } from '@mlcapsule/crypto'
import { base64UrlUpTo } from '@mlcapsule/crypto/schema'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import { openContentKey } from '../keys/at-rest.ts'
import type { Queries } from '../store/database.ts'
import { type CapsuleRow, insertRow, selectRows } from '../store/repository.ts'
import type { ServiceContext } from './context.ts'
import { parseWith } from './schema.ts'

/** The highest version, of a model or a defense, that a license can name (spec/tokens.md §2). */
const licensedVersionMax = 2 ** 31 - 1

const registerSchema = z.strictObject({
  /** Magic, length, header and signature of the capsule. */
  prefix: base64UrlUpTo(1_048_576 + 128),
  /** As `sealContentKey` made it. */
  sealedContentKey: base64UrlUpTo(256),
  /** What licenses will name: the capsule itself holds its defenses encrypted. */
  defenses: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        version: z.int().min(1).max(licensedVersionMax),
      }),
    )
    .max(8),
})

export type RegisterCapsuleInput = z.input<typeof registerSchema>

export interface CapsuleSummary {
  readonly capsuleId: string
  readonly modelId: string
  readonly modelName: string
  readonly modelVersion: number
  readonly minimumTier: string
  readonly createdAtMs: number
}

export function capsuleSummary(row: CapsuleRow): CapsuleSummary {
  const { capsuleId, modelId, modelName, modelVersion, minimumTier, createdAtMs } = row
  return { capsuleId, modelId, modelName, modelVersion, minimumTier, createdAtMs }
}

/**
 * Takes a packed capsule into the store: its public header, and its content key sealed under the service key.
 * @throws ProviderError `PROVIDER_REQUEST_INVALID`, `PROVIDER_CAPSULE_EXISTS`; CapsuleFormatError for the header;
 * CryptoError `SEAL_OPEN_FAILED` if the key is not sealed for this capsule and store
 */
export async function registerCapsule(context: ServiceContext, input: unknown): Promise<CapsuleSummary> {
  const { prefix, sealedContentKey, defenses } = parseWith(registerSchema, input)
  await cryptoReady()
  const prefixBytes = fromBase64Url(prefix)
  const { header, headerHash } = parseHeader(prefixBytes, { publishers: 'any-unverified-publisher' })
  if (!header.authority.includes(context.authorityThumbprint)) {
    const detail = "the capsule's authority does not include the key that signs this store's licenses"
    throw new ProviderError('PROVIDER_REQUEST_INVALID', detail, { field: 'prefix' })
  }
  if (header.modelVersion > licensedVersionMax) {
    const detail = `licenses name versions up to ${licensedVersionMax}, the capsule has ${header.modelVersion}`
    throw new ProviderError('PROVIDER_REQUEST_INVALID', detail, { field: 'prefix' })
  }
  const sealed = fromBase64Url(sealedContentKey)
  wipe(await openContentKey(context.serviceKey, header.capsuleId, sealed))
  const row: CapsuleRow = {
    capsuleId: toBase64Url(header.capsuleId),
    modelId: header.modelId,
    modelName: header.modelName,
    modelVersion: header.modelVersion,
    headerHash,
    header: prefixBytes,
    minimumTier: header.minimumTier,
    sealedContentKey: sealed,
    defenses: JSON.stringify(defenses),
    createdAtMs: context.now(),
  }
  await context.database.transaction(async (queries) => {
    const known = await selectRows(queries, 'capsules', 'capsule_id = $1', [row.capsuleId])
    if (known.length > 0) {
      throw new ProviderError('PROVIDER_CAPSULE_EXISTS', `capsule ${row.capsuleId} is already registered`, {
        field: 'capsuleId',
      })
    }
    await insertRow(queries, 'capsules', row)
  })
  return capsuleSummary(row)
}

/** @throws ProviderError `PROVIDER_CAPSULE_UNKNOWN` */
export async function findCapsule(queries: Queries, capsuleId: string): Promise<CapsuleRow> {
  const [row] = await selectRows<CapsuleRow>(queries, 'capsules', 'capsule_id = $1', [capsuleId])
  if (row !== undefined) return row
  throw new ProviderError('PROVIDER_CAPSULE_UNKNOWN', `capsule ${capsuleId} is not in this store`, {
    field: 'capsuleId',
  })
}

export async function listCapsules(context: ServiceContext): Promise<readonly CapsuleSummary[]> {
  const rows = await selectRows<CapsuleRow>(
    context.database,
    'capsules',
    'true ORDER BY created_at_ms, capsule_id',
  )
  return rows.map(capsuleSummary)
}
