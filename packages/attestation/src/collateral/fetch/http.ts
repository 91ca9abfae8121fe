// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { collateralMaxSizeBytes } from '../names.ts'

export interface HttpOptions {
  /** The function of the web's standard; given by the caller, who so decides about proxies and certificates. */
  readonly fetch: typeof globalThis.fetch
  /** Time for one request with its body, in milliseconds; 10,000 when absent. */
  readonly timeoutMs?: number
}

export interface HttpAnswer {
  readonly body: Uint8Array
  /** @returns the header's value, null where it is absent */
  header(name: string): string | null
}

function unavailable(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_COLLATERAL_UNAVAILABLE', detail, {
    field: 'collateral',
    cause,
  })
}

/**
 * Gets a body of at most 1 MiB. Status 200 alone counts, and no redirection is followed.
 * @param what for messages, in place of the address: that may tell which machine it is about
 * @throws AttestationError `ATTESTATION_COLLATERAL_UNAVAILABLE`
 */
export async function httpGet(url: URL, what: string, options: HttpOptions): Promise<HttpAnswer> {
  const { timeoutMs = 10_000 } = options
  let status: number
  try {
    const response = await options.fetch(url, {
      redirect: 'error',
      credentials: 'omit',
      signal: AbortSignal.timeout(timeoutMs),
    })
    status = response.status
    if (status === 200) {
      return { body: await readBody(response, what), header: (name) => response.headers.get(name) }
    }
    await response.body?.cancel()
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause
    throw unavailable(`${url.host} gave no answer for ${what}`, cause)
  }
  throw unavailable(`${url.host} answered ${status} for ${what}`)
}

/** The size that a server announces says nothing about what it sends. */
async function readBody({ body }: Response, what: string): Promise<Uint8Array> {
  const reader = body?.getReader()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    sizeBytes += next.value.length
    if (sizeBytes > collateralMaxSizeBytes) {
      await reader?.cancel()
      throw unavailable(`the answer for ${what} has more than ${collateralMaxSizeBytes} bytes`)
    }
    chunks.push(next.value)
  }
  if (sizeBytes === 0) throw unavailable(`the answer for ${what} is empty`)
  return concatBytes(...chunks)
}

/** Asks for each address once: what belongs together in one answer, a body and its headers, stays together. */
export function answersOnce(options: HttpOptions): (url: URL, what: string) => Promise<HttpAnswer> {
  const asked = new Map<string, Promise<HttpAnswer>>()
  return async (url, what) => {
    const before = asked.get(url.href)
    if (before !== undefined) return await before
    const answer = httpGet(url, what, options)
    asked.set(url.href, answer)
    try {
      return await answer
    } catch (error) {
      asked.delete(url.href)
      throw error
    }
  }
}

/** An address below a base whose own path is kept. */
export function below(baseUrl: string, path: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}
