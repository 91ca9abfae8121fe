// SPDX-License-Identifier: Apache-2.0
import { chmod, rm } from 'node:fs/promises'
import { type AppOptions, createApp } from '../api/app.ts'
import { listenOnPort, listenOnSocket, type RunningServer } from '../api/listen.ts'
import { createLocalApp } from '../api/local-app.ts'
import { storePaths } from '../store/paths.ts'
import { type OpenProviderOptions, openProvider, type Provider } from './provider.ts'

export interface ServeOptions extends OpenProviderOptions, AppOptions {
  /** 127.0.0.1 when absent: what other machines may reach is decided, not fallen into. */
  readonly host?: string
  /** A free one when absent or 0. */
  readonly port?: number
}

export interface ProviderService {
  /** Base URL for clients, for example `http://127.0.0.1:8750`. */
  readonly url: string
  readonly provider: Provider
  /** Whether tools on this machine can ask the running service to act on the store. */
  readonly takesLocalCalls: boolean
  /** Finishes what is under way and closes the store. */
  close(): Promise<void>
}

/** Longer paths do not fit into a socket's address (sun_path of unix(7); 104 on some systems). */
const socketPathMaxSizeBytes = 103

async function listenLocally(storeDir: string, provider: Provider): Promise<RunningServer | undefined> {
  const path = storePaths(storeDir).socket
  if (process.platform === 'win32' || Buffer.byteLength(path) > socketPathMaxSizeBytes) return undefined
  // The lock is ours, so a socket that is there was left behind.
  await rm(path, { force: true })
  const server = await listenOnSocket(createLocalApp(provider).fetch, path)
  await chmod(path, 0o600)
  return server
}

/**
 * Runs the key-release service over a store, until closed.
 * @throws ProviderError `PROVIDER_STORE_*`, `PROVIDER_KEY_FILE_*`, `PROVIDER_LISTEN_FAILED`
 */
export async function serveProvider(options: ServeOptions): Promise<ProviderService> {
  const { host = '127.0.0.1', port = 0 } = options
  const provider = await openProvider(options)
  const servers: RunningServer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
    await provider.close()
  }
  try {
    const local = await listenLocally(options.storeDir, provider)
    if (local !== undefined) servers.push(local)
    const server = await listenOnPort(createApp(provider, options).fetch, host, port)
    servers.push(server)
    return { url: server.address, provider, takesLocalCalls: local !== undefined, close }
  } catch (error) {
    await close()
    throw error
  }
}
