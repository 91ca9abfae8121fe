// SPDX-License-Identifier: Apache-2.0
// Builds the enclave into dist/, or into the folder given as argument.
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildInto, readBuilt, sha384 } from './bundle.mjs'

const dist = join(import.meta.dirname, '..', 'dist')
const folder = resolve(process.argv[2] ?? dist)
// Nothing of an earlier build stays behind; a folder of the caller's choice is left as it is.
if (folder === dist) rmSync(dist, { recursive: true, force: true })
for (const name of await buildInto(folder)) {
  const bytes = readBuilt(folder, name)
  console.log(
    `${sha384(bytes).slice(0, 16)}…  ${String(bytes.length).padStart(8)} bytes  ${join(folder, name)}`,
  )
}
