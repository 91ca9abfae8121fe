// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { parseWith } from '../../schema/parse.ts'
import { advisoryIds, hexBytes, isvSvnLevels, svn16, utcTime } from './json-fields.ts'
import type { Tee } from './quote.ts'

const components = z.array(z.object({ svn: z.int().min(0).max(0xff) })).length(16)

const levelStatuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

/** Intel's words for a level of the platform's TCB. */
export type LevelStatus = (typeof levelStatuses)[number]

function levelsOf<Tdx extends z.ZodType>(tdxtcbcomponents: Tdx) {
  return z
    .array(
      z.object({
        tcb: z.object({ sgxtcbcomponents: components, pcesvn: svn16, tdxtcbcomponents }),
        tcbDate: utcTime,
        tcbStatus: z.enum(levelStatuses),
        advisoryIDs: advisoryIds,
      }),
    )
    .min(1)
    .max(256)
    .refine((levels) => !hidesALevel(levels.map(({ tcb }) => tcb)), 'is not in descending order')
}

const moduleIdentity = z.object({
  mrsigner: hexBytes(48),
  attributes: hexBytes(8),
  attributesMask: hexBytes(8),
})

const common = {
  version: z.literal(3),
  issueDate: utcTime,
  nextUpdate: utcTime,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: z.int().min(0),
}

const sgxSchema = z.object({ id: z.literal('SGX'), ...common, tcbLevels: levelsOf(z.undefined().optional()) })

const tdxSchema = z.object({
  id: z.literal('TDX'),
  ...common,
  tcbLevels: levelsOf(components),
  tdxModule: moduleIdentity,
  tdxModuleIdentities: z
    .array(moduleIdentity.extend({ id: z.string().regex(/^TDX_[0-9A-F]{2}$/), tcbLevels: isvSvnLevels }))
    .max(256)
    .default([]),
})

export type SgxTcbInfo = z.infer<typeof sgxSchema>
export type TdxTcbInfo = z.infer<typeof tdxSchema>
export type TcbLevel = (SgxTcbInfo | TdxTcbInfo)['tcbLevels'][number]
export type TdxModuleIdentity = TdxTcbInfo['tdxModuleIdentities'][number]
export type TcbInfoOf<Platform extends Tee> = { readonly sgx: SgxTcbInfo; readonly tdx: TdxTcbInfo }[Platform]

const schemas: { readonly [Platform in Tee]: z.ZodType<TcbInfoOf<Platform>> } = {
  sgx: sgxSchema,
  tdx: tdxSchema,
}

/**
 * Reads a table of TCB levels of a platform. Members that are not known here are passed over.
 * @param what its name, for messages
 * @throws AttestationError `ATTESTATION_COLLATERAL_INVALID`, also where a level would hide one above it
 * @see Intel Trusted Services API, v4, "TCB Info V3"
 */
export function parseTcbInfo<Platform extends Tee>(
  value: unknown,
  tee: Platform,
  what: string,
): TcbInfoOf<Platform> {
  return parseWith(schemas[tee], value, 'ATTESTATION_COLLATERAL_INVALID', what)
}

type Components = z.infer<typeof components>

interface LevelTcb {
  readonly sgxtcbcomponents: Components
  readonly pcesvn: number
  readonly tdxtcbcomponents?: unknown
}

/**
 * The first level that a platform reaches counts. Whatever reaches a level that is higher than an earlier one has reached
 * that one already: the table is then not in its order.
 */
function hidesALevel(levels: readonly LevelTcb[]): boolean {
  const svns = levels.map(({ sgxtcbcomponents, pcesvn, tdxtcbcomponents }) => [
    ...sgxtcbcomponents.map(({ svn }) => svn),
    pcesvn,
    ...((tdxtcbcomponents ?? []) as Components).map(({ svn }) => svn),
  ])
  return svns.some((later, index) =>
    svns.slice(0, index).some((earlier) => later.every((svn, i) => svn >= (earlier[i] ?? 0))),
  )
}
