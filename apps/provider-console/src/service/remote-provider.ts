// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http'
import { type ErrorKind, MlCapsuleError } from '@mlcapsule/contracts'
import { systemCode } from '@mlcapsule/contracts/node'
import { ProviderError } from '../errors.ts'
import { type ProviderCall, providerCalls } from './calls.ts'
import type { Provider } from './provider.ts'

interface RemoteFailure {
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly remedy: string
  readonly kind: ErrorKind
}

/** An error that the running service gave, as it gave it. */
class RemoteError extends MlCapsuleError {
  constructor({ code, message, field, remedy, kind }: RemoteFailure) {
    super({ [code]: { kind, meaning: message, remedy } }, code, message, field === undefined ? {} : { field })
  }
}

async function post(socketPath: string, path: string, body: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, path, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function callService(socketPath: string, call: ProviderCall, input: unknown): Promise<unknown> {
  let text: string
  try {
    text = await post(socketPath, `/${call}`, JSON.stringify(input ?? null))
  } catch (cause) {
    const detail = `another process has the store, and does not answer on ${socketPath} (${systemCode(cause)})`
    throw new ProviderError('PROVIDER_STORE_LOCKED', detail, { field: 'store', cause })
  }
  const answer = JSON.parse(text) as { readonly result?: unknown; readonly error?: RemoteFailure }
  if (answer.error !== undefined) throw new RemoteError(answer.error)
  return answer.result
}

/** The provider that a running service is, reached over the socket in its store. */
export function remoteProvider(socketPath: string): Provider {
  const calls = providerCalls.map((call) => [call, (input: unknown) => callService(socketPath, call, input)])
  return { ...(Object.fromEntries(calls) as Omit<Provider, 'close'>), close: async () => undefined }
}
