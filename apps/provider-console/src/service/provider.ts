// SPDX-License-Identifier: Apache-2.0
import { collateralCache } from '@mlcapsule/attestation/node'
import { cryptoReady, keyThumbprint, type SigningKeyPair, signingKeyPairFrom, wipe } from '@mlcapsule/crypto'
import { referenceStore } from '../attestation/reference-store.ts'
import { platformsOf, type SupportedPlatform } from '../attestation/verifiers.ts'
import { readKeyFile } from '../keys/key-file.ts'
import { storePaths } from '../store/paths.ts'
import { openStore, requireStoreFolder } from '../store/store.ts'
import { type ActivationAnswer, activate } from './activate.ts'
import { type CapsuleSummary, listCapsules, registerCapsule } from './capsules.ts'
import { type IssuedChallenge, issueChallenge } from './challenges.ts'
import type { ServiceContext } from './context.ts'
import { findLicenseToken, type LicenseSummary, listLicenses } from './grants.ts'
import { createOrder, listOrders, type OrderSummary } from './orders.ts'
import { type AcceptedStatement, acceptStatement } from './statements.ts'

/**
 * Everything that a provider's service and tools do with a store. Arguments and results are JSON, and arguments are
 * checked here: the same calls come from this process, from the command line by way of the running service, and from
 * clients over HTTP.
 */
export interface Provider {
  registerCapsule(input: unknown): Promise<CapsuleSummary>
  listCapsules(): Promise<readonly CapsuleSummary[]>
  createOrder(input: unknown): Promise<OrderSummary>
  listOrders(): Promise<readonly OrderSummary[]>
  listLicenses(): Promise<readonly LicenseSummary[]>
  findLicenseToken(input: unknown): Promise<{ readonly licenseId: string; readonly token: string }>
  issueChallenge(input: unknown): Promise<IssuedChallenge>
  activate(input: unknown): Promise<ActivationAnswer>
  acceptStatement(input: unknown): Promise<AcceptedStatement>
  close(): Promise<void>
}

export interface OpenProviderOptions {
  readonly storeDir: string
  /** The file of the authority key, where it is not the one in the store. */
  readonly authorityKeyFile?: string
  /** Milliseconds since 1970; the system's clock when absent. */
  readonly now?: () => number
  /** Those of this build when absent. */
  readonly platforms?: readonly SupportedPlatform[]
}

/** The acts of {@link Provider} over a context that is given, for tests and for other databases. */
export function providerOver(context: ServiceContext): Provider {
  return {
    registerCapsule: (input) => registerCapsule(context, input),
    listCapsules: () => listCapsules(context),
    createOrder: (input) => createOrder(context, input),
    listOrders: () => listOrders(context),
    listLicenses: () => listLicenses(context),
    findLicenseToken: (input) => findLicenseToken(context, input),
    issueChallenge: (input) => issueChallenge(context, input),
    activate: (input) => activate(context, input),
    acceptStatement: (input) => acceptStatement(context, input),
    async close() {
      await context.database.close()
      wipe(context.serviceKey)
      wipe(context.authority.privateKey)
    },
  }
}

/**
 * Opens a provider's store with its keys, for this process alone.
 * @throws ProviderError `PROVIDER_STORE_*`, `PROVIDER_KEY_FILE_*`
 */
export async function openProvider(options: OpenProviderOptions): Promise<Provider> {
  await cryptoReady()
  const { storeDir, now = Date.now, platforms = platformsOf(storeDir) } = options
  const paths = storePaths(storeDir)
  await requireStoreFolder(storeDir)
  const serviceKey = await readKeyFile(paths.privateKey('service'), 'service')
  let authority: SigningKeyPair | undefined
  try {
    const authorityKeyFile = options.authorityKeyFile ?? paths.privateKey('authority')
    authority = signingKeyPairFrom(await readKeyFile(authorityKeyFile, 'authority'))
    return providerOver({
      database: await openStore(storeDir, serviceKey),
      serviceKey,
      authority,
      authorityThumbprint: keyThumbprint(authority.publicKey),
      platforms,
      collateral: collateralCache(paths.collateralDir),
      references: referenceStore(paths.referencesDir),
      now,
    })
  } catch (error) {
    wipe(serviceKey)
    if (authority !== undefined) wipe(authority.privateKey)
    throw error
  }
}
