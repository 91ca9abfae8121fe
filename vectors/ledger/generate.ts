// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/ledger/generate.ts
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ledgerVectors } from '../../packages/metering/test/vectors/ledger.ts'

const folder = import.meta.dirname
await rm(join(folder, 'start'), { recursive: true, force: true })
const files = await ledgerVectors()
for (const [path, text] of files) {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}
console.log(`${files.size} files written`)
