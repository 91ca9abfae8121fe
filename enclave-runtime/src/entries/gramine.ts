// SPDX-License-Identifier: Apache-2.0
// Node in Gramine, in an SGX enclave. The path of the device is part of the measured program: a host that chose it would
// choose what answers there.
import { gramineAttester } from '@mlcapsule/attestation/sgx/node'
import { serveOnHardware } from './on-hardware.ts'

await serveOnHardware({
  entry: 'gramine',
  attester: gramineAttester(),
  folder: new URL('.', import.meta.url),
})
