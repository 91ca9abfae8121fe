// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { ProviderError } from '../errors.ts'
import { storePaths } from '../store/paths.ts'
import { type OpenProviderOptions, openProvider, type Provider } from './provider.ts'
import { remoteProvider } from './remote-provider.ts'

/** The store itself, or the service that has it open: whoever asks need not know. */
async function reachProvider(options: OpenProviderOptions): Promise<Provider> {
  try {
    return await openProvider(options)
  } catch (error) {
    const { socket } = storePaths(options.storeDir)
    const isLocked = error instanceof ProviderError && error.code === 'PROVIDER_STORE_LOCKED'
    if (isLocked && existsSync(socket)) return remoteProvider(socket)
    throw error
  }
}

/** Does one piece of work with a store and lets go of it. */
export async function withProvider<Result>(
  options: OpenProviderOptions,
  work: (provider: Provider) => Promise<Result>,
): Promise<Result> {
  const provider = await reachProvider(options)
  try {
    return await work(provider)
  } finally {
    await provider.close()
  }
}
