// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url } from '@mlcapsule/crypto'
import { readStatement, type StatementHistory, verifyLicense, verifyStatement } from '@mlcapsule/metering'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import type { Queries } from '../store/database.ts'
import { insertRow, type LicenseRow, type StatementRow, selectRows } from '../store/repository.ts'
import type { ServiceContext } from './context.ts'
import { bytes32, parseWith, tokenText } from './schema.ts'

const statementSchema = z.strictObject({ statement: tokenText })

export interface AcceptedStatement {
  /** `repeated`: it was here before, and changed nothing. */
  readonly status: 'accepted' | 'repeated'
  readonly licenseId: string
  readonly seq: number
  /** Units of this statement, and of all so far. */
  readonly units: number
  readonly unitsTotal: number
}

/** The license that a statement names, to find the key that it has to be signed with. Nothing is believed yet. */
function namedLicense(token: string): Uint8Array {
  try {
    const payload: unknown = JSON.parse(new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? '')))
    return fromBase64Url(bytes32.parse((payload as { readonly license?: unknown }).license))
  } catch {
    throw new ProviderError('PROVIDER_REQUEST_INVALID', 'statement: expected a statement token', {
      field: 'statement',
    })
  }
}

async function findLicense(queries: Queries, token: string): Promise<LicenseRow> {
  const [row] = await selectRows<LicenseRow>(queries, 'licenses', 'token_hash = $1 FOR UPDATE', [
    namedLicense(token),
  ])
  if (row !== undefined) return row
  throw new ProviderError('PROVIDER_LICENSE_UNKNOWN', 'the statement names no license of this store', {
    field: 'statement.license',
  })
}

/**
 * Takes a usage statement of an enclave: signed by it, under a license of ours, continuing the statement before.
 * @throws ProviderError `PROVIDER_REQUEST_INVALID`, `PROVIDER_LICENSE_UNKNOWN`; MeteringError `TOKEN_*`,
 * `LEDGER_FORKED`; CryptoError `JWS_*`
 */
export async function acceptStatement(context: ServiceContext, input: unknown): Promise<AcceptedStatement> {
  const { statement: token } = parseWith(statementSchema, input)
  return await context.database.transaction(async (queries) => {
    const row = await findLicense(queries, token)
    const license = await verifyLicense(row.token, [context.authority.publicKey])
    const earlier = await selectRows<StatementRow>(queries, 'statements', 'license_id = $1 ORDER BY seq', [
      row.licenseId,
    ])
    const last = earlier.at(-1)
    const previous: StatementHistory | null =
      last === undefined
        ? null
        : {
            last: await readStatement(last.token, license),
            units: earlier.reduce((sum, it) => sum + it.units, 0),
          }
    const { status, history } = await verifyStatement(token, license, previous)
    const { seq, units } = history.last.claims
    if (status === 'accepted') {
      await insertRow(queries, 'statements', {
        licenseId: row.licenseId,
        seq,
        token,
        units,
        receivedAtMs: context.now(),
      } satisfies StatementRow)
    }
    return { status, licenseId: row.licenseId, seq, units, unitsTotal: history.units }
  })
}
