// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/capsule/generate.ts
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generateVectors } from '../../packages/capsule-format/test/vectors/generate.ts'

const folder = import.meta.dirname
for (const name of ['bases', 'cases']) await rm(join(folder, name), { recursive: true, force: true })
const files = await generateVectors()
for (const [path, bytes] of files) {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), bytes)
}
console.log(`${files.size} files written`)
