// SPDX-License-Identifier: Apache-2.0
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Channel } from '../protocol/channel.ts'
import { type PortLike, portChannel } from '../transports/port-channel.ts'

/** Starts the worker entry: a thread with a port, and no environment. */
export function spawnWorker(entryPath: string): { readonly channel: Channel; kill(): void } {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(pathToFileURL(entryPath), {
    workerData: { port: port2 },
    transferList: [port2 as never],
    env: {},
    execArgv: [],
    stdin: false,
    stdout: true,
    stderr: true,
  })
  // Nothing that it prints is of use to anyone; unread it would pile up.
  worker.stdout.resume()
  worker.stderr.resume()
  worker.on('error', () => port1.close())
  worker.on('exit', () => port1.close())
  return { channel: portChannel(port1 as unknown as PortLike), kill: () => void worker.terminate() }
}
