// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRules, platformRule } from '../../appraise/rules.ts'
import { akNameSchema } from './ak-credential.ts'
import { pcrCount } from './attest.ts'
import type { PcrBanks, VerifiedQuote } from './verify-quote.ts'

/** What the rules about a TPM look at. */
export interface TpmClaims {
  readonly quote: VerifiedQuote
  /** Lower-case hex. */
  readonly akName: string
  readonly ekSpkiSha256: string
  readonly ekRootSpkiSha256: string
}

/** Values that a register of the SHA-256 bank may have, by index. */
const pcrsSchema = z.record(z.string().regex(/^(?:1?[0-9]|2[0-3])$/), z.array(hexOf(32)).min(1).max(64))

/** Registers of the SHA-256 bank by name, `pcr0` to `pcr23`, lower-case hex: of those alone that the quote covers. */
export function pcrRegisters(banks: PcrBanks): Readonly<Record<string, string>> {
  const values = [...(banks.get('sha256') ?? [])]
  return Object.fromEntries(values.map(([index, value]) => [`pcr${index}`, toHex(value)]))
}

/**
 * Which values registers may have. It cannot be left unchecked: whoever brings a firmware of their own can write any value
 * into the registers that reference values name, and only the registers of the firmware tell. Of no use are registers 16 and
 * 23, which any program may reset.
 */
export function pcrsRule<Claims>(banksOf: (claims: Claims) => PcrBanks) {
  return platformRule<Claims, z.output<typeof pcrsSchema>>({
    schema: pcrsSchema,
    strict: true,
    suggested: {},
    found(claims) {
      const registers = Object.keys(pcrRegisters(banksOf(claims)))
      return registers.length === 0 ? 'no register of the SHA-256 bank' : registers.join(', ')
    },
    holds(claims, expected) {
      const registers = pcrRegisters(banksOf(claims))
      const rules = Object.entries(expected)
      return (
        rules.length > 0 && rules.every(([index, values]) => values.includes(registers[`pcr${index}`] ?? ''))
      )
    },
    describe: (expected) => `values of ${Object.keys(expected).length} of ${pcrCount} registers`,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  })
}

/** What a policy may ask of a TPM. */
export const tpmRules: PlatformRules<TpmClaims> = {
  /** Roots of makers of TPMs, by SHA-256 of their SubjectPublicKeyInfo: whose word a policy takes is always said. */
  ekRoots: platformRule<TpmClaims, readonly string[]>({
    schema: z.array(hexOf(32)).max(64),
    strict: true,
    suggested: [],
    found: ({ ekRootSpkiSha256 }) => ekRootSpkiSha256,
    holds: ({ ekRootSpkiSha256 }, expected) => expected.includes(ekRootSpkiSha256),
    code: 'ATTESTATION_ROOT_UNKNOWN',
  }),
  pcrs: pcrsRule<TpmClaims>(({ quote }) => quote.pcrs),
  /** Single attestation keys, by their names in hex. */
  akNames: platformRule<TpmClaims, readonly string[]>({
    schema: z.array(akNameSchema).max(4096),
    suggested: 'any',
    found: ({ akName }) => akName,
    holds: ({ akName }, expected) => expected.includes(akName),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
}
