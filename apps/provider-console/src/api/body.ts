// SPDX-License-Identifier: Apache-2.0
import { ProviderError } from '../errors.ts'

/** A token has at most 64 KiB; the rest is the JSON around it. */
export const bodyMaxSizeBytes = 72 * 1024

/**
 * Reads the JSON body of a request, and no more of it than the limit.
 * @throws ProviderError `PROVIDER_REQUEST_TOO_LARGE`, `PROVIDER_REQUEST_INVALID`
 */
export async function readJsonBody(request: Request, maxSizeBytes = bodyMaxSizeBytes): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new ProviderError('PROVIDER_REQUEST_INVALID', 'expected content-type application/json', {
      field: 'content-type',
    })
  }
  const text = new TextDecoder().decode(await readBytes(request, maxSizeBytes))
  try {
    return JSON.parse(text)
  } catch {
    throw new ProviderError('PROVIDER_REQUEST_INVALID', 'the body is not JSON', { field: 'body' })
  }
}

async function readBytes(request: Request, maxSizeBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new ProviderError('PROVIDER_REQUEST_TOO_LARGE', `expected at most ${maxSizeBytes} bytes`, {
      field: 'body',
    })
  // The stated length saves reading; what is counted is what comes.
  if (Number(request.headers.get('content-length') ?? 0) > maxSizeBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > maxSizeBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
