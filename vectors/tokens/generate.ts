// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/tokens/generate.ts
import { join } from 'node:path'
import { activationVectors } from '../../packages/attestation/test/vectors/activation.ts'
import { writeVectorFiles } from '../../packages/crypto/src/testing/index.ts'
import { tokenVectors } from '../../packages/metering/test/vectors/tokens.ts'

const made = { activation: await activationVectors(), metering: await tokenVectors() }
for (const [name, files] of Object.entries(made)) {
  writeVectorFiles(join(import.meta.dirname, name), files)
  console.log(`${name}: ${files.size} files written`)
}
