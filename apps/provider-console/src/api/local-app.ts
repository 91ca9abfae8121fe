// SPDX-License-Identifier: Apache-2.0
import { Hono } from 'hono'
import { ProviderError } from '../errors.ts'
import { isProviderCall } from '../service/calls.ts'
import type { Provider } from '../service/provider.ts'
import { readJsonBody } from './body.ts'
import { publicError, statusOf } from './status.ts'

/** A capsule's header is the largest thing that is sent. */
const localBodyMaxSizeBytes = 2 * 1024 * 1024

/**
 * The tools' side of the service: while it runs it alone has the store, so tools on the same machine ask it to act. It is
 * served on a socket in the store's folder, which is its owner's alone.
 */
export function createLocalApp(provider: Provider): Hono {
  const app = new Hono()
  app.post('/:call', async (context) => {
    const call = context.req.param('call')
    if (!isProviderCall(call)) throw new ProviderError('PROVIDER_ROUTE_UNKNOWN', 'there is no such call')
    const input = await readJsonBody(context.req.raw, localBodyMaxSizeBytes)
    return context.json({ result: await provider[call](input) })
  })
  app.notFound((context) => {
    const error = new ProviderError('PROVIDER_ROUTE_UNKNOWN', 'there is no such call')
    return context.json({ error: { ...error.toJSON(), kind: error.kind } }, statusOf(error))
  })
  app.onError((cause, context) => {
    const error = publicError(cause)
    return context.json({ error: { ...error.toJSON(), kind: error.kind } }, statusOf(error))
  })
  return app
}
