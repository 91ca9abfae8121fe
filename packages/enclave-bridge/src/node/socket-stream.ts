// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream'
import type { ByteStream } from '../transports/stream-channel.ts'

/** A byte stream over one end of a socket pair. */
export function socketStream(socket: Duplex): ByteStream {
  return {
    write(bytes) {
      if (!socket.destroyed && !socket.writableEnded) socket.write(bytes)
    },
    onData(listener) {
      // A view of Node's own buffer: the reader of records copies what it keeps.
      socket.on('data', (chunk: Uint8Array) => listener(chunk))
    },
    onEnd(listener) {
      let ended = false
      const once = () => {
        if (!ended) listener()
        ended = true
      }
      socket.on('end', once)
      socket.on('close', once)
      // What went wrong with a local socket says no more than that the peer is gone.
      socket.on('error', once)
    },
    end() {
      socket.end()
    },
  }
}
