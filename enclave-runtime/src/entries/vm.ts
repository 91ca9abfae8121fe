// SPDX-License-Identifier: Apache-2.0
// Node in a confidential virtual machine, whose image is measured. The second argument says of which kind it is, `tdx` or
// `sev-snp`; its kernel refuses the wrong one.
import { sevSnpAttester } from '@mlcapsule/attestation/sev-snp/node'
import { tdxAttester } from '@mlcapsule/attestation/tdx/node'
import { serveOnHardware } from './on-hardware.ts'

await serveOnHardware({
  entry: 'vm',
  attester: process.argv[3] === 'sev-snp' ? sevSnpAttester() : tdxAttester(),
  folder: new URL('.', import.meta.url),
})
