// SPDX-License-Identifier: Apache-2.0
// Writes this folder's vectors anew: node --conditions=@mlcapsule/source vectors/tokens/generate.ts
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { activationVectors } from '../../packages/attestation/test/vectors/activation.ts'
import { tokenVectors } from '../../packages/metering/test/vectors/tokens.ts'

for (const [name, make] of [
  ['activation', activationVectors],
  ['metering', tokenVectors],
] as const) {
  const folder = join(import.meta.dirname, name)
  await rm(folder, { recursive: true, force: true })
  const files = await make()
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  console.log(`${name}: ${files.size} files written`)
}
