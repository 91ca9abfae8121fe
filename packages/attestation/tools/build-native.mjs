// SPDX-License-Identifier: Apache-2.0
// Builds the addon that asks the Nitro security module into native/build/<platform>-<arch>/. Where it cannot be built,
// there is no attester for Nitro; one line says so, and the build ends well.
import { join } from 'node:path'
import { buildAddon } from '@mlcapsule/contracts/node'

const built = buildAddon({
  packageRoot: join(import.meta.dirname, '..'),
  source: 'native/nsm.c',
  name: 'mlcapsule-nsm.node',
})
const outcome = built.status === 'built' ? built.path : `${built.reason}; there is no attester for Nitro`
console.log(`Nitro security module: ${outcome}`)
