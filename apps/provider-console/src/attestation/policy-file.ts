// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { type AttestationPolicy, parsePolicy } from '@mlcapsule/attestation'
import { readTextFile, writeWholeFile } from '../files/files.ts'
import { formatPolicyText, parsePolicyText, policyMaxSizeBytes } from './policy-text.ts'
import { verifiers } from './verifiers.ts'

/**
 * Reads a policy from YAML or JSON; the sections of the platforms of this build are held against their rules.
 * @throws ProviderError `PROVIDER_FILE_*`, `PROVIDER_POLICY_INVALID`; AttestationError `POLICY_*`
 */
export async function readPolicyFile(path: string): Promise<AttestationPolicy> {
  return parsePolicy(parsePolicyText(await readTextFile(path, policyMaxSizeBytes), path), verifiers)
}

/**
 * Writes YAML where the file's name ends in `.yaml` or `.yml`, else JSON.
 * @throws ProviderError `PROVIDER_OUTPUT_EXISTS`, `PROVIDER_FILE_UNREADABLE`
 */
export async function writePolicyFile(
  path: string,
  policy: AttestationPolicy,
  options: { readonly replace: boolean },
): Promise<void> {
  const isYaml = /\.ya?ml$/i.test(path)
  await writeWholeFile(
    path,
    isYaml ? formatPolicyText(policy) : `${JSON.stringify(policy, null, 2)}\n`,
    options,
  )
}

/** Where a store's own policy lies. */
export const storePolicyFile = (storeDir: string) => join(storeDir, 'policy.json')
