// SPDX-License-Identifier: Apache-2.0
// Builds the enclave into dist/, or into the folder given as argument.
import { join, resolve } from 'node:path'
import { buildInto, readBuilt, sha384 } from './bundle.mjs'

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'dist'))
for (const name of await buildInto(folder)) {
  const bytes = readBuilt(folder, name)
  console.log(
    `${sha384(bytes).slice(0, 16)}…  ${String(bytes.length).padStart(8)} bytes  ${join(folder, name)}`,
  )
}
