// SPDX-License-Identifier: Apache-2.0
import {
  activationReportData,
  createRequest,
  type EnclaveManifest,
  openRelease,
  type ReleasedKeys,
  readChallenge,
  verifyResponse,
} from '@mlcapsule/attestation'
import { createSimulatedRoot, simulatedAttester } from '@mlcapsule/attestation/simulated'
import type { Anchor } from '@mlcapsule/contracts'
import {
  generateReleaseKeyPair,
  generateSigningKeyPair,
  keyThumbprint,
  type ReleaseKeyPair,
  type SigningKeyPair,
} from '@mlcapsule/crypto'
import { volatileAnchor } from '@mlcapsule/metering'

export const testManifest: EnclaveManifest = {
  version: 1,
  entry: 'worker',
  components: [{ name: 'enclave-core', sha384: 'ab'.repeat(48) }],
  plugins: [],
}

/** What `createRequest` needs of an enclave and its customer: real keys and evidence, without an enclave around them. */
export interface FakeEnclave {
  readonly customer: SigningKeyPair
  readonly identity: SigningKeyPair
  readonly release: ReleaseKeyPair
  readonly manifest: EnclaveManifest
  readonly anchor: Anchor
  request(
    challenge: string,
    overrides?: { headerHash?: Uint8Array; customer?: SigningKeyPair },
  ): Promise<string>
  open(challenge: string, response: string): Promise<{ keys: ReleasedKeys; license: string }>
}

export interface FakeEnclaveOptions {
  readonly customer: SigningKeyPair
  readonly headerHash: Uint8Array
  readonly authorityKey: Uint8Array
  readonly manifest?: EnclaveManifest
  /** What its evidence says it is of; the simulated one when absent. */
  readonly platform?: string
}

export async function createFakeEnclave(options: FakeEnclaveOptions): Promise<FakeEnclave> {
  const { customer, manifest = testManifest } = options
  const root = await createSimulatedRoot()
  const attester = simulatedAttester({ root, manifest })
  const identity = generateSigningKeyPair()
  const release = generateReleaseKeyPair()
  const anchor = volatileAnchor()
  const authority = [keyThumbprint(options.authorityKey)]
  const statement = (headerHash: Uint8Array) => ({
    releaseKey: release.publicKey,
    identityKey: identity.publicKey,
    headerHash,
    anchor: anchor.descriptor,
    manifest,
  })
  const enclave: FakeEnclave = {
    customer,
    identity,
    release,
    manifest,
    anchor,
    async request(token, overrides = {}) {
      const challenge = await readChallenge(token, authority)
      const shown = statement(overrides.headerHash ?? options.headerHash)
      const made = await attester.produce(activationReportData(challenge, shown))
      const evidence = { ...made, platform: options.platform ?? made.platform }
      return await createRequest({
        ...shown,
        customer: overrides.customer ?? customer,
        challenge: token,
        evidence,
      })
    },
    async open(token, response) {
      const challenge = await readChallenge(token, authority)
      const { license, release: sealed } = await verifyResponse(response, { authority, challenge })
      const reportData = activationReportData(challenge, statement(options.headerHash))
      const keys = await openRelease({ privateKey: release.privateKey, sealed, reportData, license })
      return { keys, license }
    },
  }
  return enclave
}
