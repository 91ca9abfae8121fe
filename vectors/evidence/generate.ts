// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/evidence/generate.ts
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { evidenceVectors } from '../../packages/attestation/test/vectors/evidence.ts'

const folder = import.meta.dirname
for (const name of ['report-data', 'manifests', 'appraisal']) {
  await rm(join(folder, name), { recursive: true, force: true })
}
const files = await evidenceVectors()
for (const [path, text] of files) {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}
console.log(`${files.size} files written`)
