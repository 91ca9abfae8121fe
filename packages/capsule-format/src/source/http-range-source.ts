// SPDX-License-Identifier: Apache-2.0
import { type CapsuleErrorCode, CapsuleFormatError } from '../errors.ts'
import { lengthPrefixSizeBytes } from '../limits.ts'
import { type RandomAccessSource, sourceFailed } from './source.ts'

export interface HttpRangeSourceOptions {
  /** The platform's `fetch` when absent. */
  readonly fetch?: typeof globalThis.fetch
  /** Sent with every request, an authorization say. */
  readonly headers?: Readonly<Record<string, string>>
  /** For one request including its body; 30,000 when absent. */
  readonly timeoutMs?: number
  /** How often one range is asked for before giving up; 3 when absent. */
  readonly attemptCount?: number
  /** Before the second attempt, doubled for each further one; 250 when absent. */
  readonly retryDelayMs?: number
  /** Ends all reading. */
  readonly signal?: AbortSignal
}

interface Range {
  readonly bytes: Uint8Array
  readonly totalSizeBytes: number
  readonly etag: string | null
}

/** Worth another attempt. */
class TransientError extends Error {}

const contentRangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/

/**
 * A capsule on a server that serves ranges (RFC 9110 §14). The server is not trusted: its answers are bounded in size
 * and time, and must be the very range that was asked for, of a file that does not change.
 * @throws CapsuleFormatError `CAPSULE_RANGE_UNSUPPORTED`, `CAPSULE_SOURCE_FAILED`, `CAPSULE_TRUNCATED`
 */
export async function httpRangeSource(
  url: string | URL,
  options: HttpRangeSourceOptions = {},
): Promise<RandomAccessSource> {
  const first = await fetchRange(url, options, 0, lengthPrefixSizeBytes, undefined)
  return {
    sizeBytes: first.totalSizeBytes,
    async read(offsetBytes, sizeBytes) {
      if (sizeBytes === 0) return new Uint8Array(0)
      return (await fetchRange(url, options, offsetBytes, sizeBytes, first)).bytes
    },
  }
}

async function fetchRange(
  url: string | URL,
  options: HttpRangeSourceOptions,
  offsetBytes: number,
  sizeBytes: number,
  first: Range | undefined,
): Promise<Range> {
  const attemptCount = Math.max(1, options.attemptCount ?? 3)
  let delayMs = options.retryDelayMs ?? 250
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchOnce(url, options, offsetBytes, sizeBytes, first)
    } catch (error) {
      if (!(error instanceof TransientError)) throw error
      if (options.signal?.aborted === true) throw sourceFailed('reading was ended by its caller', error)
      if (attempt >= attemptCount) throw sourceFailed(`${error.message}, after ${attempt} attempts`, error)
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    delayMs *= 2
  }
}

async function fetchOnce(
  url: string | URL,
  options: HttpRangeSourceOptions,
  offsetBytes: number,
  sizeBytes: number,
  first: Range | undefined,
): Promise<Range> {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    abort()
  }, options.timeoutMs ?? 30_000)
  options.signal?.addEventListener('abort', abort)
  if (options.signal?.aborted === true) abort()
  try {
    const headers = new Headers(options.headers)
    headers.set('Range', `bytes=${offsetBytes}-${offsetBytes + sizeBytes - 1}`)
    // A weak validator does not vouch for bytes (RFC 9110 §13.1.5).
    if (first?.etag?.startsWith('"') === true) headers.set('If-Range', first.etag)
    const request: RequestInit = { headers, signal: controller.signal, cache: 'no-store' }
    const response = await (options.fetch ?? globalThis.fetch)(url, request)
    try {
      const totalSizeBytes = checkResponse(response, offsetBytes, sizeBytes, first)
      return {
        bytes: await readBody(response, sizeBytes),
        totalSizeBytes,
        etag: response.headers.get('ETag'),
      }
    } finally {
      controller.abort()
    }
  } catch (error) {
    if (error instanceof CapsuleFormatError || error instanceof TransientError) throw error
    throw new TransientError(timedOut ? 'the server took too long' : 'the server was not reached', {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
  }
}

/** @returns size of the whole file */
function checkResponse(
  response: Response,
  offsetBytes: number,
  sizeBytes: number,
  first: Range | undefined,
): number {
  const { status } = response
  if (status >= 500 || status === 408 || status === 429)
    throw new TransientError(`the server answered ${status}`)
  if (status === 416 && first === undefined) throw refused('CAPSULE_TRUNCATED', 'the file is empty')
  if (status === 200 || status === 416) {
    throw first === undefined
      ? refused('CAPSULE_RANGE_UNSUPPORTED', 'the server sent the whole file instead of a part')
      : refused('CAPSULE_SOURCE_CHANGED', 'the server no longer has the file that was opened')
  }
  if (status !== 206) throw sourceFailed(`the server answered ${status}`)
  const match = contentRangePattern.exec(response.headers.get('Content-Range') ?? '')
  if (match === null) throw sourceFailed('the server did not say which part it sent')
  const [start, end, totalSizeBytes] = match.slice(1).map(Number) as [number, number, number]
  if (first !== undefined && totalSizeBytes !== first.totalSizeBytes) {
    const detail = `the file had ${first.totalSizeBytes} bytes, and now has ${totalSizeBytes}`
    throw refused('CAPSULE_SOURCE_CHANGED', detail)
  }
  if (first === undefined && totalSizeBytes < sizeBytes) {
    throw refused('CAPSULE_TRUNCATED', `the file has ${totalSizeBytes} bytes`)
  }
  if (start !== offsetBytes || end !== offsetBytes + sizeBytes - 1) {
    throw sourceFailed(
      `asked for bytes ${offsetBytes} to ${offsetBytes + sizeBytes - 1}, got ${start} to ${end}`,
    )
  }
  return totalSizeBytes
}

/** Stops reading as soon as there is more than was asked for. */
async function readBody(response: Response, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  let filledBytes = 0
  const reader = response.body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (chunk === undefined || chunk.done) break
    if (filledBytes + chunk.value.length > sizeBytes) {
      throw sourceFailed(`the server sent more than the ${sizeBytes} bytes that were asked for`)
    }
    bytes.set(chunk.value, filledBytes)
    filledBytes += chunk.value.length
  }
  if (filledBytes < sizeBytes)
    throw new TransientError(`the server sent ${filledBytes} of ${sizeBytes} bytes`)
  return bytes
}

function refused(code: CapsuleErrorCode, detail: string): CapsuleFormatError {
  return new CapsuleFormatError(code, detail, { field: 'source' })
}
