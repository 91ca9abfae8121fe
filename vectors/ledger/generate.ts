// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/ledger/generate.ts
import { writeVectorFiles } from '../../packages/crypto/src/testing/index.ts'
import { ledgerVectors } from '../../packages/metering/test/vectors/ledger.ts'

const files = await ledgerVectors()
writeVectorFiles(import.meta.dirname, files)
console.log(`${files.size} files written`)
