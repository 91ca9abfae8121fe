// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/evidence/generate.ts
import { evidenceVectors } from '../../packages/attestation/test/vectors/evidence.ts'
import { writeVectorFiles } from '../../packages/crypto/src/testing/index.ts'

const files = await evidenceVectors()
writeVectorFiles(import.meta.dirname, files)
console.log(`${files.size} files written`)
