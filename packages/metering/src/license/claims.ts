// SPDX-License-Identifier: Apache-2.0
import { isolationTiers } from '@mlcapsule/contracts'
import { fromBase64Url, toBase64Url } from '@mlcapsule/crypto'
import {
  base64UrlOf,
  base64UrlUpTo,
  confirmation,
  hexOf,
  identifier,
  numericDate,
  pluginName,
} from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { ledgerIdOf } from '../ledger/keys.ts'

/** No license grants more, so that sums of units stay exact. */
export const maxUnits = 2 ** 40
/** No block is larger: it is what a crash can lose. */
export const maxBlockUnits = 4096
/** A statement carries a level for each. */
export const maxDefenseCount = 8
/** Fewer queries per statement would let more than the stated bits per query out. */
export const minStatementEvery = 1000

const units = z.int().min(0).max(maxUnits)
const version = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)

export const tierSchema = z.enum(isolationTiers)

/** Name of a customer, model or license: printable ASCII without spaces. */
const name = z.string().regex(/^[\x21-\x7e]{1,128}$/)

export const licenseSchema = z
  .strictObject({
    iss: base64UrlOf(32),
    sub: name,
    jti: identifier,
    iat: numericDate,
    nbf: numericDate,
    exp: numericDate,
    model: name,
    versions: z.strictObject({ min: version, max: version }),
    ledger: base64UrlOf(32),
    cnf: confirmation,
    tier: tierSchema,
    manifest: hexOf(48),
    anchor: base64UrlUpTo(1024),
    grant: z.strictObject({
      seq: z
        .int()
        .min(1)
        .max(2 ** 31 - 1),
      units: units.min(1),
    }),
    tariff: z.strictObject({
      unit: z.int().min(1).max(maxBlockUnits),
      blocked: z.int().min(1).max(maxBlockUnits),
      surchargeMax: z.int().min(0).max(maxBlockUnits),
    }),
    lease: z.strictObject({ queries: units.min(1), poweredHours: z.int().min(1).max(87_600) }),
    blockMax: z.int().min(1).max(maxBlockUnits),
    statementEvery: z.int().min(minStatementEvery).max(maxUnits),
    answerPolicy: identifier,
    defenses: z
      .array(
        z.strictObject({
          name: pluginName,
          version: z
            .int()
            .min(1)
            .max(2 ** 31 - 1),
        }),
      )
      .max(maxDefenseCount),
    floors: z.strictObject({ version, revocation: version }),
  })
  .superRefine((it, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (it.exp <= it.nbf) refuse(['exp'], 'is not after nbf')
    if (it.versions.max < it.versions.min) refuse(['versions', 'max'], 'is below min')
    if (it.tariff.blocked !== it.tariff.unit) refuse(['tariff', 'blocked'], 'is not the price of a unit')
    if (it.tariff.unit + it.tariff.surchargeMax > it.blockMax) refuse(['blockMax'], 'holds not even one item')
    if (it.ledger !== toBase64Url(ledgerIdOf(fromBase64Url(it.cnf.jwk.x)))) {
      refuse(['ledger'], 'is not that of the enclave in cnf')
    }
  })

/** Claims of a license, as its payload holds them. @see spec/tokens.md §2 */
export type LicenseClaims = Readonly<z.infer<typeof licenseSchema>>
