// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { ClientError, ServiceError } from '../errors.ts'

/** A token has at most 64 KiB; the rest is the JSON around it. */
const answerMaxSizeBytes = 80 * 1024
const defaultTimeoutMs = 30_000
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

const token = z.string().max(65_536)
const challengeAnswer = z.object({ challenge: token, order: z.string().max(64) })
const activationAnswer = z.object({ response: token })
const statementAnswer = z.object({ status: z.enum(['accepted', 'repeated']) })
const refusal = z.object({
  error: z.object({
    code: z.string().regex(/^[A-Z][A-Z0-9_]{2,63}$/),
    message: z.string().max(2000),
    remedy: z.string().max(2000).default('Ask the provider.'),
    field: z.string().max(200).optional(),
  }),
})

export interface ServiceClientOptions {
  /** For tests, or to add a proxy; the platform's `fetch` when absent. */
  readonly fetch?: typeof fetch
  /** For each request, 30 seconds when absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What a provider's service does for clients. Nothing but tokens that the client could read travels over it. */
export interface ServiceClient {
  readonly url: string
  /**
   * @param input base64url of the capsule's id and of the thumbprint of the customer's key; `order` where there are several
   * @returns compact JWS of type `mlc-challenge+jwt`
   */
  requestChallenge(input: { capsuleId: string; customer: string; order?: string }): Promise<string>
  /** @returns compact JWS of type `mlc-response+jwt` */
  activate(request: string): Promise<string>
  /** Whether the statement was new to the service, or had been sent before. */
  sendStatement(statement: string): Promise<'accepted' | 'repeated'>
}

/**
 * A client of the service at a base URL: https, or http to this machine. Redirects are not followed.
 * @throws ClientError `CLIENT_ARGUMENT_INVALID` for another URL; from its methods `CLIENT_SERVICE_UNREACHABLE`,
 * `CLIENT_SERVICE_ANSWER_INVALID`, and ServiceError under the service's own code
 */
export function serviceClient(baseUrl: string, options: ServiceClientOptions = {}): ServiceClient {
  const base = parseBase(baseUrl)
  const post = <Answer>(path: string, body: object, schema: z.ZodType<Answer>) =>
    exchange(new URL(path, base), body, schema, options)
  return {
    url: base.href,
    async requestChallenge(input) {
      return (await post('v1/challenges', input, challengeAnswer)).challenge
    },
    async activate(request) {
      return (await post('v1/activations', { request }, activationAnswer)).response
    },
    async sendStatement(statement) {
      return (await post('v1/statements', { statement }, statementAnswer)).status
    },
  }
}

function parseBase(text: string): URL {
  const invalid = (detail: string) =>
    new ClientError('CLIENT_ARGUMENT_INVALID', `service URL: ${detail}`, { field: 'service' })
  if (!URL.canParse(text)) throw invalid('expected an absolute URL, such as https://models.example')
  const url = new URL(text)
  const isLocal = url.protocol === 'http:' && loopbackHosts.has(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) throw invalid('expected https, or http to this machine')
  if (url.username !== '' || url.password !== '') throw invalid('a user name or password has no place in it')
  url.search = ''
  url.hash = ''
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

async function exchange<Answer>(
  url: URL,
  body: object,
  schema: z.ZodType<Answer>,
  { fetch: send = fetch, timeoutMs = defaultTimeoutMs, signal }: ServiceClientOptions,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  let status: number
  let text: string
  try {
    const answer = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    })
    status = answer.status
    text = await readText(answer, url)
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    const reason = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(cause)
    throw new ClientError('CLIENT_SERVICE_UNREACHABLE', `${url.origin}: ${reason}`, {
      field: 'service',
      cause,
    })
  }
  const json = parseJson(text)
  if (status < 200 || status > 299) throw refusalOf(url, status, json)
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw answerInvalid(url, `the answer has status ${status}, but not the form that the protocol gives it`)
}

async function readText(answer: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of answer.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > answerMaxSizeBytes)
      throw answerInvalid(url, `it is longer than ${answerMaxSizeBytes} bytes`)
    chunks.push(chunk)
  }
  return await new Blob(chunks as BlobPart[]).text()
}

/** The system's code of what went wrong (ECONNREFUSED and the like), which `fetch` hides in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined }
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? `no connection (${code})` : 'no usable answer'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalOf(url: URL, status: number, json: unknown): ClientError | ServiceError {
  const parsed = refusal.safeParse(json)
  if (!parsed.success) return answerInvalid(url, `status ${status} without an error that the protocol has`)
  const { field, ...rest } = parsed.data.error
  return new ServiceError({ ...rest, ...(field === undefined ? {} : { field }), status })
}

function answerInvalid(url: URL, detail: string): ClientError {
  return new ClientError('CLIENT_SERVICE_ANSWER_INVALID', `${url.origin}: ${detail}`, { field: 'service' })
}
