// SPDX-License-Identifier: Apache-2.0
import { type Context, Hono } from 'hono'
import { ProviderError } from '../errors.ts'
import { challengeRequestSchema } from '../service/challenges.ts'
import type { Provider } from '../service/provider.ts'
import { parseWith } from '../service/schema.ts'
import { readJsonBody } from './body.ts'
import { publicError, statusOf } from './status.ts'

/** One answered request: what a log may say of it. Never a body. */
export interface RequestRecord {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Code of the error, if it was one. */
  readonly code: string | undefined
  readonly durationMs: number
}

export interface AppOptions {
  readonly onRequest?: (record: RequestRecord) => void
  /** Told of every failure that is the service's own. */
  readonly onFailure?: (error: unknown) => void
}

const knownPaths = ['/healthz', '/v1/challenges', '/v1/activations', '/v1/statements']

function fail(context: Context, error: unknown, options: AppOptions) {
  const shown = publicError(error)
  if (shown.kind === 'internal') options.onFailure?.(error)
  context.set('code', shown.code)
  return context.json({ error: shown }, statusOf(shown))
}

/** The clients' side of the service. It answers in JSON only, errors as `{ error: { code, message, field?, remedy } }`. */
export function createApp(
  provider: Provider,
  options: AppOptions = {},
): Hono<{ Variables: { code: string } }> {
  const app = new Hono<{ Variables: { code: string } }>()
  app.use(async (context, next) => {
    const startedAtMs = performance.now()
    await next()
    context.header('cache-control', 'no-store')
    context.header('x-content-type-options', 'nosniff')
    const { path } = context.req
    options.onRequest?.({
      method: context.req.method.slice(0, 10),
      path: knownPaths.includes(path) ? path : '(other)',
      status: context.res.status,
      code: context.get('code'),
      durationMs: performance.now() - startedAtMs,
    })
  })
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.post('/v1/challenges', async (context) => {
    const wanted = parseWith(challengeRequestSchema, await readJsonBody(context.req.raw))
    return context.json(await provider.issueChallenge(wanted), 201)
  })
  app.post('/v1/activations', async (context) =>
    context.json(await provider.activate(await readJsonBody(context.req.raw))),
  )
  app.post('/v1/statements', async (context) =>
    context.json(await provider.acceptStatement(await readJsonBody(context.req.raw))),
  )
  app.notFound((context) => {
    const detail = `there is no ${context.req.method.slice(0, 10)} on this path`
    return fail(context, new ProviderError('PROVIDER_ROUTE_UNKNOWN', detail, { field: 'path' }), options)
  })
  app.onError((error, context) => fail(context, error, options))
  return app
}
