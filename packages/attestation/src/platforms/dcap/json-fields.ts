// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'

/** Hex of exactly so many bytes in either case, as Intel writes it; comes out in lower case. */
export function hexBytes(sizeBytes: number) {
  return z
    .string()
    .length(2 * sizeBytes)
    .regex(/^[0-9A-Fa-f]*$/)
    .toLowerCase()
}

/** Time in UTC with whole seconds; comes out in milliseconds since 1970. */
export const utcTime = z.iso
  .datetime({ precision: 0 })
  .transform((text) => Date.parse(text))
  .refine((ms) => Number.isFinite(ms))

export const advisoryIds = z
  .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/))
  .max(256)
  .default([])

/** An unsigned 16-bit number. */
export const svn16 = z.int().min(0).max(0xffff)

/** SVN levels of an enclave or a module: what each SVN from here up is worth. */
export const isvSvnLevels = z
  .array(
    z.object({
      tcb: z.object({ isvsvn: svn16 }),
      tcbDate: utcTime,
      tcbStatus: z.enum(['UpToDate', 'OutOfDate', 'Revoked']),
      advisoryIDs: advisoryIds,
    }),
  )
  .min(1)
  .max(256)
  .refine(
    (levels) => levels.every((it, i) => i === 0 || it.tcb.isvsvn < (levels[i - 1]?.tcb.isvsvn ?? 0)),
    'is not in descending order',
  )

export type IsvSvnLevel = z.infer<typeof isvSvnLevels>[number]

/** The highest level that an SVN reaches; undefined where it is below all of them. */
export function levelOfSvn(levels: readonly IsvSvnLevel[], isvSvn: number): IsvSvnLevel | undefined {
  return levels.find(({ tcb }) => tcb.isvsvn <= isvSvn)
}
