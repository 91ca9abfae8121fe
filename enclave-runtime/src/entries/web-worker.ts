// SPDX-License-Identifier: Apache-2.0
// A module Worker of a browser. Its one way out is the port that the page gives it in its first message.
import { webThreads } from '@mlcapsule/inference-kernels/threads/web'
import { createWasmKernels, type PortLike, portChannel, serveSimulated } from '../core/index.ts'

const startThread = webThreads(new URL('./kernel-thread.mjs', import.meta.url))

function onFirstMessage(event: MessageEvent<{ readonly port: MessagePort }>): void {
  removeEventListener('message', onFirstMessage)
  const { port } = event.data
  serveSimulated(portChannel(port as unknown as PortLike), {
    entry: 'worker',
    kernels: () => Promise.resolve(createWasmKernels({ startThread })),
    onStop: () => close(),
  })
}

addEventListener('message', onFirstMessage)
