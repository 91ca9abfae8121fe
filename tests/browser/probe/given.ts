// SPDX-License-Identifier: Apache-2.0

/** What every realm is given: Node, a page and a Worker work on the same. Bytes are hex. All keys are for tests only. */
export interface Given {
  /** Of the server that has the capsules, without a slash at its end. */
  readonly origin: string
  readonly crypto: GivenCrypto
  readonly capsules: readonly GivenCapsule[]
  readonly models: readonly GivenModel[]
  readonly evidence: GivenEvidence
  readonly platforms: readonly GivenPlatform[]
}

export interface GivenCrypto {
  readonly message: string
  readonly signingSeed: string
  readonly releaseKey: string
  readonly pageKey: string
  readonly nonce: string
  /** Made by Node for the keys above. */
  readonly token: string
  readonly release: { readonly enc: string; readonly ciphertext: string }
}

export type SourceKind = 'blob' | 'ranges'

export interface GivenCapsule {
  readonly name: string
  readonly publishers: readonly string[]
  readonly contentKey: string
  readonly sources: readonly SourceKind[]
}

/** A query to the model in the capsule of the same name. */
export interface GivenModel {
  readonly name: string
  readonly symbols: Readonly<Record<string, number>>
  readonly input: { readonly name: string; readonly shape: readonly number[]; readonly data: string }
}

export const capsulePath = (name: string): string => `/capsules/${name}`

/** Evidence of the skeleton platform, and what it is verified with. */
export interface GivenEvidence {
  readonly bytes: string
  readonly reportData: string
  readonly nowMs: number
  /** Of the root: SHA-256 of its SubjectPublicKeyInfo. */
  readonly root: string
  readonly collateral: Readonly<Record<string, string>>
  /** The same, but for a list in which the leaf is revoked. */
  readonly revokedCollateral: Readonly<Record<string, string>>
}

/** Evidence of a vendor's platform under a root of its own. */
export interface GivenPlatform {
  readonly platform: 'sgx' | 'tdx' | 'sev-snp' | 'nitro'
  readonly bytes: string
  readonly reportData: string
  readonly nowMs: number
  readonly root: string
  readonly collateral: Readonly<Record<string, string>>
}
