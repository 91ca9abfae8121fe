// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { dcapQvlVerification, readCase, sharedDir, verifications } from '@mlcapsule/tests/attestation'

export interface Subject {
  readonly title: string
  /** Real evidence, a folder of the attestation vectors. */
  readonly dir: string
  /** For one piece of evidence with all its chains; null where none was set. */
  readonly targetMs: number | null
}

export const subjects: Readonly<Record<string, Subject>> = {
  sgx: { title: 'SGX quote v3', dir: 'sgx/sgx-v3-606a-platform-ca', targetMs: 10 },
  tdx: { title: 'TDX quote v4', dir: 'tdx/tdx-v4-b0c0-valid', targetMs: null },
  'tdx-v5': { title: 'TDX quote v5', dir: 'tdx/tdx-v5-90c0-valid', targetMs: null },
  snp: { title: 'SEV-SNP report, VCEK', dir: 'snp/genoa-v3-vcek-valid-azure', targetMs: 10 },
  nitro: { title: 'Nitro document', dir: 'nitro/valid-2025-dstack-indefinite-map', targetMs: 5 },
  tpm: { title: 'TPM quote, RSA', dir: 'tpm/azure-genoa', targetMs: null },
}

export const vectorsDir = join(sharedDir, 'attestation-vectors')

/** One way to do the work of a subject. Throws, or rejects, where it does not come out as it has to. */
export type Contender = () => Promise<unknown>

export interface Contenders {
  readonly ours: Contender
  /** The signatures that ours checks, and nothing else: what no verifier on this runtime can save. */
  readonly signatures: Contender
  readonly signatureCount: number
  /** `@phala/dcap-qvl`, for Intel's quotes. */
  readonly peer: Contender | null
}

/** Prepares a subject, and looks that all accept the same evidence. @throws Error where one refuses it */
export async function contendersFor({ dir }: Subject): Promise<Contenders> {
  const vector = readCase(vectorsDir, dir)
  const prepare = verifications[vector.kind]
  if (prepare === undefined) throw new Error(`nothing verifies ${dir}`)
  const ours = prepare(vector)
  const checks = await recordChecks(ours)
  const signatures = async () => {
    const found = await Promise.all(checks.map((it) => crypto.subtle.verify(...it)))
    if (found.includes(false)) throw new Error(`a signature of ${dir} does not verify`)
  }
  await signatures()
  return { ours, signatures, signatureCount: checks.length, peer: peerFor(vector) }
}

function peerFor(vector: ReturnType<typeof readCase>): Contender | null {
  if (!['sgx', 'tdx'].includes(vector.kind)) return null
  const verify = dcapQvlVerification(vector)
  const accept = async () => {
    if (verify() !== vector.expected.tcbStatus) throw new Error(`the peer does not accept ${vector.name}`)
  }
  return accept
}

type Check = Parameters<SubtleCrypto['verify']>

/** Arguments of every check of a signature during one verification. */
async function recordChecks(verify: Contender): Promise<readonly Check[]> {
  const checks: Check[] = []
  const { subtle } = crypto
  const original = subtle.verify
  subtle.verify = (...check: Check) => {
    checks.push(check)
    return original.apply(subtle, check)
  }
  try {
    await verify()
  } finally {
    // The method of the prototype shows again.
    Reflect.deleteProperty(subtle, 'verify')
  }
  return checks
}
