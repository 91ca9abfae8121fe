// SPDX-License-Identifier: Apache-2.0
// A module Worker of a browser. Its one way out is the port that the page gives it in its first message.
import { type PortLike, portChannel, serveSimulated, wasmKernels } from '../core/index.ts'

function onFirstMessage(event: MessageEvent<{ readonly port: MessagePort }>): void {
  removeEventListener('message', onFirstMessage)
  const { port } = event.data
  serveSimulated(portChannel(port as unknown as PortLike), {
    entry: 'worker',
    kernels: () => Promise.resolve(wasmKernels),
    onStop: () => close(),
  })
}

addEventListener('message', onFirstMessage)
