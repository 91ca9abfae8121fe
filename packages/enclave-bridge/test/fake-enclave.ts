// SPDX-License-Identifier: Apache-2.0
import type { EnclaveHandlers } from '../src/enclave/handlers.ts'
import { BridgeError } from '../src/errors.ts'
import type { EnclaveHandleOptions } from '../src/host/enclave-handle.ts'

export const zero32 = new Uint8Array(32)

const usage = {
  ledgerId: zero32,
  licenseHash: zero32,
  grantUnits: 10,
  unitsSpent: 1,
  unitsLeft: 9,
  queryCount: 1,
  uncleanCount: 0,
  block: 1,
  strictUnits: 0,
  head: zero32,
}

/** Handlers of an enclave without a model: `infer` gives its inputs back as outputs. */
export function echoHandlers(overrides: Partial<EnclaveHandlers> = {}): EnclaveHandlers {
  const refuse = () =>
    Promise.reject(new BridgeError('ENCLAVE_STATE_INVALID', 'not here', { field: 'license' }))
  return {
    launch: () => Promise.resolve({ body: {} }),
    hello: () =>
      Promise.resolve({
        body: {
          version: 1,
          entry: 'worker',
          state: 'empty',
          manifestSha384: new Uint8Array(48),
          plugins: [{ kind: 'defense', name: 'rounding', version: 1 }],
        },
      }),
    load: () => Promise.resolve({ body: { capsuleId: zero32, headerHash: zero32 } }),
    beginActivation: refuse,
    finishActivation: refuse,
    resume: refuse,
    infer: ({ inputs }, payloads) =>
      Promise.resolve({
        body: { verdict: 'pass', outputs: inputs, units: 1, unitsLeft: 9, log: [Uint8Array.of(1, 2, 3)] },
        payloads,
      }),
    openSequence: () => Promise.resolve({ body: { id: 1 } }),
    closeSequence: () => Promise.resolve({ body: {} }),
    usage: () => Promise.resolve({ body: usage }),
    statement: refuse,
    close: () => Promise.resolve({ body: { statement: null, log: [] } }),
    stop: () => undefined,
    ...overrides,
  }
}

export const launchInfo: EnclaveHandleOptions['info'] = {
  entry: 'worker',
  manifest: {
    version: 1,
    entry: 'worker',
    components: [{ name: 'core', sha384: '00'.repeat(48) }],
    plugins: [],
  },
  manifestSha384: '00'.repeat(48),
  kernels: 'wasm',
  transport: 'message-port',
}

export const noServices: EnclaveHandleOptions['services'] = {
  readPages: () => Promise.reject(new Error('no pages')),
  readRecord: () => Promise.resolve(null),
  writeRecord: () => Promise.resolve(),
}
