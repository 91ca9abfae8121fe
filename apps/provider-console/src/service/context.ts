// SPDX-License-Identifier: Apache-2.0
import type { CollateralCache } from '@mlcapsule/attestation/node'
import type { Secret, SigningKeyPair } from '@mlcapsule/crypto'
import type { ReferenceStore } from '../attestation/reference-store.ts'
import type { SupportedPlatform } from '../attestation/verifiers.ts'
import type { Database } from '../store/database.ts'

/** What every act of the service works with. Nothing else is ambient: no clock, no environment, no network. */
export interface ServiceContext {
  readonly database: Database
  /** Root of what the store seals and of the secrets that go to enclaves. */
  readonly serviceKey: Secret<'prk'>
  /** Signs challenges, licenses and responses. */
  readonly authority: SigningKeyPair
  readonly authorityThumbprint: string
  readonly platforms: readonly SupportedPlatform[]
  readonly collateral: CollateralCache
  readonly references: ReferenceStore
  readonly now: () => number
}
