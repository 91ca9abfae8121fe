// SPDX-License-Identifier: Apache-2.0
// Builds the shared-memory addon into native/build/<platform>-<arch>/. Where it cannot be built, payloads travel through
// the socket instead; one line says so, and the build ends well.
import { join } from 'node:path'
import { buildAddon } from '@mlcapsule/contracts/node'

const built = buildAddon({
  packageRoot: join(import.meta.dirname, '..'),
  source: 'native/shared_memory.c',
  name: 'mlcapsule-shared-memory.node',
})
const outcome = built.status === 'built' ? built.path : `${built.reason}; payloads travel through the socket`
console.log(`shared memory: ${outcome}`)
