// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRules, platformRule } from '../../appraise/rules.ts'
import { minimumTcbEvaluationDataNumber, oneOfRegister, platforms } from '../dcap/rules.ts'
import { debugFlags, type TdxClaims, tdFlags } from './claims.ts'

const register = hexOf(48)
const zeroRegister = '00'.repeat(48)
const identifying = ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const

/** MRTD is the firmware alone; kernel and application are in the RTMRs. RTMR3 holds what happens at run time. */
const measurement = z.strictObject({
  mrTd: register,
  rtmr0: register,
  rtmr1: register,
  rtmr2: register,
  rtmr3: z.union([z.literal('any'), register]),
})

export type TdxMeasurement = z.infer<typeof measurement>

/** Debug flags are left out: an appraisal checks them by itself, and no policy can allow them. */
const flag = z.enum(tdFlags.filter((it) => !debugFlags.includes(it)))
const attributes = z.strictObject({
  /** These have to be set. */
  required: z.array(flag).max(tdFlags.length),
  /** These may be set beside them; a reserved bit has no name, so none can be allowed. */
  allowed: z.array(flag).max(tdFlags.length),
})

type TdAttributes = z.infer<typeof attributes>

function registerRule(name: 'mrConfigId' | 'mrOwner' | 'mrOwnerConfig') {
  return oneOfRegister<TdxClaims>(
    48,
    'ATTESTATION_MEASUREMENT_UNKNOWN',
    [zeroRegister],
    (claims) => claims[name],
  )
}

/** What a policy's section about TDX holds. */
export const tdxRules: PlatformRules<TdxClaims> = {
  /** Which trust domains. */
  measurements: platformRule<TdxClaims, readonly TdxMeasurement[]>({
    schema: z.array(measurement).min(1).max(256),
    suggested: 'any',
    found: (claims) => identifying.map((name) => `${name} ${claims[name]}`).join(', '),
    holds: (claims, expected) =>
      expected.some((it) => identifying.every((name) => it[name] === 'any' || it[name] === claims[name])),
    code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
  }),
  /** Which attribute flags have to be set, and which may be. */
  tdAttributes: platformRule<TdxClaims, TdAttributes>({
    schema: attributes,
    suggested: { required: ['SEPT_VE_DISABLE'], allowed: ['PKS', 'KL', 'PERFMON'] },
    found: ({ flags }) => flags.join(', ') || 'none',
    holds: ({ flags }, { required, allowed }) =>
      required.every((it) => flags.includes(it)) &&
      flags.every((it) => [...debugFlags, ...required, ...allowed].includes(it)),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  /** Which processor features the trust domain may use: 8 bytes, in the order of the quote. */
  xfam: oneOfRegister(8, 'ATTESTATION_PLATFORM_REFUSED', 'any', ({ xfam }) => xfam),
  /** A service TD that is bound can migrate this one. Reports before TDX 1.5 do not tell: those are `unreported`. */
  mrServiceTd: platformRule<TdxClaims, readonly string[]>({
    schema: z
      .array(z.union([z.literal('unreported'), register]))
      .min(1)
      .max(256),
    suggested: [zeroRegister, 'unreported'],
    found: ({ mrServiceTd }) => mrServiceTd ?? 'unreported',
    holds: ({ mrServiceTd }, expected) => expected.includes(mrServiceTd ?? 'unreported'),
    describe: (expected) => `one of ${expected.join(', ')}`,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  /** Whoever launches a trust domain can give it these three. */
  mrConfigId: registerRule('mrConfigId'),
  mrOwner: registerRule('mrOwner'),
  mrOwnerConfig: registerRule('mrOwnerConfig'),
  /** Which TDX modules, beside that they are Intel's. */
  mrSeam: oneOfRegister(48, 'ATTESTATION_PLATFORM_REFUSED', 'any', ({ mrSeam }) => mrSeam),
  minimumTcbEvaluationDataNumber,
  platforms,
}
