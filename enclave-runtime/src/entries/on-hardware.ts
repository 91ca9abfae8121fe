// SPDX-License-Identifier: Apache-2.0
// What the entries on hardware share. There the host starts no process of its own and passes no descriptor: the enclave
// calls it, by TCP, at the address in its argument. Whoever answers is the host, and is trusted as little as one.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Attester } from '@mlcapsule/contracts'
import { nodeAead } from '@mlcapsule/crypto/node'
import { socketStream } from '@mlcapsule/enclave-bridge/node'
import { createWasmKernels, isolatedPlatform, StreamChannel, servePlatform } from '../core/index.ts'

export interface HardwareEntry {
  readonly entry: 'gramine' | 'vm'
  readonly attester: Attester
  /** Of the entry's file, in the measured image. `enclave-manifest.json` lies beside it. */
  readonly folder: URL
}

/** JSON, first argument of the program. */
interface HostAddress {
  /** 127.0.0.1 when absent. */
  readonly host?: string
  readonly port: number
}

/** Serves one host until it is gone, and ends the process. */
export async function serveOnHardware({ entry, attester, folder }: HardwareEntry): Promise<void> {
  const platform = await isolatedPlatform({
    entry,
    manifestText: readFileSync(new URL('enclave-manifest.json', folder), 'utf8'),
    attester,
    kernels: createWasmKernels(),
    aead: nodeAead,
  })
  const { host = '127.0.0.1', port } = JSON.parse(process.argv[2] ?? '{}') as HostAddress
  const socket = connect({ host, port })
  // Everything is wiped; what is still to be sent goes out before the socket closes.
  servePlatform(new StreamChannel(socketStream(socket)), platform, () => setImmediate(() => process.exit(0)))
}
