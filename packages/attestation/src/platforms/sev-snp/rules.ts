// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRule, type PlatformRules, platformRule } from '../../appraise/rules.ts'
import type { AttestationErrorCode } from '../../errors.ts'
import type { SevSnpClaims } from './claims.ts'
import type { GuestPolicy } from './layout.ts'
import { sevSnpProducts } from './product.ts'
import { type SevSnpTcb, tcbAtLeast } from './tcb.ts'

const svn = z.int().min(0).max(255)
const tcbSchema = z.strictObject({
  bootloader: svn,
  tee: svn,
  snp: svn,
  microcode: svn,
  /** Of Turin alone. */
  fmc: svn.optional(),
})
const minimumTcbSchema = z.partialRecord(z.enum(sevSnpProducts), tcbSchema)
const abiSchema = z.strictObject({ major: svn, minor: svn })

/** One of the values that the policy lists, as hex of so many bytes. */
function hexRule(
  sizeBytes: number,
  find: (claims: SevSnpClaims) => string | null,
  code: AttestationErrorCode = 'ATTESTATION_MEASUREMENT_UNKNOWN',
): PlatformRule<SevSnpClaims> {
  return platformRule<SevSnpClaims, readonly string[]>({
    schema: z.array(hexOf(sizeBytes)).min(1).max(256),
    suggested: 'any',
    found: (claims) => find(claims) ?? 'none',
    holds: (claims, allowed) => allowed.includes(find(claims) ?? ''),
    code,
  })
}

/** A bit of the policy under which the guest was started, as the provider wants it. */
function bitRule(bit: keyof GuestPolicy, suggested: boolean | 'any'): PlatformRule<SevSnpClaims> {
  return platformRule<SevSnpClaims, boolean>({
    schema: z.boolean(),
    suggested,
    found: ({ policy }) => String(policy[bit]),
    holds: ({ policy }, expected) => policy[bit] === expected,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  })
}

function describeTcb({ bootloader, tee, snp, microcode, fmc }: SevSnpTcb): string {
  const parts = `bootloader ${bootloader}, tee ${tee}, snp ${snp}, microcode ${microcode}`
  return fmc === null ? parts : `fmc ${fmc}, ${parts}`
}

/**
 * What a policy's section `sev-snp` rules. Where the vendor of the guest's firmware measures it alone, `measurements` is the
 * same for every customer and names no workload: then `hostData`, `idKeyDigests` or a paravisor's own evidence has to.
 */
export const sevSnpRules: PlatformRules<SevSnpClaims> = {
  measurements: hexRule(48, ({ measurement }) => measurement),
  hostData: hexRule(32, ({ hostData }) => hostData),
  idKeyDigests: hexRule(48, ({ idKeyDigest }) => idKeyDigest),
  authorKeyDigests: hexRule(48, ({ authorKeyDigest }) => authorKeyDigest),
  familyIds: hexRule(16, ({ familyId }) => familyId),
  imageIds: hexRule(16, ({ imageId }) => imageId),
  minimumGuestSvn: platformRule<SevSnpClaims, number>({
    schema: z.int().min(0).max(0xffff_ffff),
    suggested: 'any',
    found: ({ guestSvn }) => String(guestSvn),
    holds: ({ guestSvn }, least) => guestSvn >= least,
    code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
  }),
  vmpl: platformRule<SevSnpClaims, number>({
    schema: z.int().min(0).max(3),
    suggested: 0,
    found: ({ vmpl }) => String(vmpl),
    holds: ({ vmpl }, expected) => vmpl === expected,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  smt: bitRule('smt', 'any'),
  singleSocket: bitRule('singleSocket', 'any'),
  migrationAgent: bitRule('migrationAgent', false),
  minimumAbi: platformRule<SevSnpClaims, z.infer<typeof abiSchema>>({
    schema: abiSchema,
    suggested: 'any',
    found: ({ policy }) => `${policy.abiMajor}.${policy.abiMinor}`,
    holds: ({ policy }, { major, minor }) =>
      policy.abiMajor > major || (policy.abiMajor === major && policy.abiMinor >= minor),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  // A host may report less than it runs, never more; it can also roll back to what is committed.
  minimumTcb: platformRule<SevSnpClaims, z.infer<typeof minimumTcbSchema>>({
    schema: minimumTcbSchema,
    suggested: 'any',
    found: ({ product, reportedTcb, committedTcb, launchTcb }) =>
      [
        `${product} reported ${describeTcb(reportedTcb)}`,
        `committed ${describeTcb(committedTcb)}`,
        `at launch ${describeTcb(launchTcb)}`,
      ].join('; '),
    holds: ({ product, reportedTcb, committedTcb, launchTcb }, byProduct) => {
      const least = byProduct[product]
      if (least === undefined) return false
      const whole = { ...least, fmc: least.fmc ?? null }
      return [reportedTcb, committedTcb, launchTcb].every((it) => tcbAtLeast(it, whole))
    },
    code: 'ATTESTATION_TCB_REFUSED',
  }),
  platforms: {
    ...hexRule(64, ({ chipId }) => chipId, 'ATTESTATION_PLATFORM_REFUSED'),
    // It names a machine: results are stored, and need no more than tells two apart.
    found: ({ chipId }) => (chipId === null ? 'none' : `${chipId.slice(0, 16)}…`),
    describe: (allowed) => `one of ${(allowed as readonly string[]).length} chips`,
  },
  cspIds: platformRule<SevSnpClaims, readonly string[]>({
    schema: z.array(z.string().min(1).max(127)).min(1).max(64),
    suggested: 'any',
    found: ({ cspId }) => cspId ?? "none, a chip's own key",
    holds: ({ cspId }, allowed) => cspId === null || allowed.includes(cspId),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  signingKeys: platformRule<SevSnpClaims, readonly string[]>({
    schema: z
      .array(z.enum(['vcek', 'vlek']))
      .min(1)
      .max(2),
    suggested: ['vcek'],
    found: ({ signingKey }) => signingKey,
    holds: ({ signingKey }, allowed) => allowed.includes(signingKey),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
}
