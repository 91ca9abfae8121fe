// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { parseWith } from '../../schema/parse.ts'
import { hexBytes, isvSvnLevels, svn16, utcTime } from './json-fields.ts'
import type { Tee } from './quote.ts'

const schema = z.object({
  id: z.enum(['QE', 'TD_QE', 'QVE']),
  version: z.literal(2),
  issueDate: utcTime,
  nextUpdate: utcTime,
  tcbEvaluationDataNumber: z.int().min(0),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: svn16,
  tcbLevels: isvSvnLevels,
})

export type QeIdentity = z.infer<typeof schema>

export const qeIds: Readonly<Record<Tee, QeIdentity['id']>> = { sgx: 'QE', tdx: 'TD_QE' }

/**
 * Reads what Intel says of its quoting enclave. Members that are not known here are passed over.
 * @param what its name, for messages
 * @throws AttestationError `ATTESTATION_COLLATERAL_INVALID`
 * @see Intel Trusted Services API, v4, "Enclave Identity V2"
 */
export function parseQeIdentity(value: unknown, what: string): QeIdentity {
  return parseWith(schema, value, 'ATTESTATION_COLLATERAL_INVALID', what)
}
