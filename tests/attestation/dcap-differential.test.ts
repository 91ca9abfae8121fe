// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCases } from './case.ts'
import { runSgxCase } from './cases/sgx.ts'
import { runTdxCase } from './cases/tdx.ts'
import { dcapQvlStatus } from './dcap-qvl.ts'

const skipped = missing('attestation-vectors')
const cases = skipped === null ? readCases(join(sharedDir, 'attestation-vectors')) : []
const runners = { sgx: runSgxCase, tdx: runTdxCase }

const policy =
  'the peer refuses in its verification what is for a policy to say here: that refuses it as well'
const moduleSvn =
  'the peer compares the SVN of a module that has a version with a component that does not count then'
const revocation = 'the peer takes a list without looking at its signature, its issuer or its dates'

/** Every case in which the two differ, and why. */
const differences: Readonly<Record<string, string>> = {
  'sgx/sgx-v3-a067-debug': policy,
  'sgx/synth-sgx-debug': policy,
  'tdx/synth-tdx4-debug': policy,
  'tdx/synth-tdx4-septve0': policy,
  'tdx/tdx-v4-5080-debug': policy,
  'tdx/tdx-v5-90c0-service-td': policy,
  'sgx/sgx-v3-a067-neg-genuine-platform-ca-crl': revocation,
  'sgx/sgx-v3-a067-neg-pck-crl-empty': revocation,
  'sgx/sgx-v3-a067-neg-pck-crl-sig-flip': revocation,
  'sgx/synth-sgx-pck-crl-expired': revocation,
  'tdx/tdx-v4-b0c0-neg-pck-crl-is-root-crl': revocation,
  'tdx/tdx-v4-b0c0-neg-root-crl-sig-flip': revocation,
  'sgx/synth-sgx-tcbinfo-signed-by-pck': 'the peer lets any certificate under the root sign tables',
  'tdx/synth-tdx4-module-mrsigner': "the peer does not compare the TDX module's signer",
  'tdx/synth-tdx4-module-outofdate': moduleSvn,
  'tdx/tdx-v4-806f-cos113-valid': moduleSvn,
}

describe.skipIf(skipped !== null)('Phala dcap-qvl as a second opinion', () => {
  test('differs from ours in the listed cases alone', async () => {
    const compared: string[] = []
    const different: string[] = []
    for (const vector of cases) {
      if (vector.kind !== 'sgx' && vector.kind !== 'tdx') continue
      compared.push(vector.name)
      const { tcbStatus = null, strictPolicy } = await runners[vector.kind](vector)
      if (tcbStatus === dcapQvlStatus(vector)) continue
      different.push(vector.name)
      if (differences[vector.name] === policy) expect(strictPolicy).toBe('reject')
    }
    expect(compared).toHaveLength(75)
    expect(different.toSorted()).toEqual(Object.keys(differences).toSorted())
  })
})
