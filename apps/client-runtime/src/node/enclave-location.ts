// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClientError } from '../errors.ts'

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

const repository = join(packageRoot, '..', '..')

/** In the package when it is installed; in the repository, where its build puts it. */
const usualPlaces = existsSync(join(repository, 'pnpm-workspace.yaml'))
  ? [join(repository, 'enclave-runtime', 'dist')]
  : [join(packageRoot, 'enclave')]

/**
 * Folder of the built enclave: the given one, that of `MLCAPSULE_ENCLAVE`, or where builds and packages put it.
 * @throws ClientError `CLIENT_ENCLAVE_MISSING`
 */
export function findEnclave(
  chosen: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const named = chosen ?? (env.MLCAPSULE_ENCLAVE || undefined)
  const places = named === undefined ? usualPlaces : [resolve(named)]
  const found = places.find((folder) => existsSync(join(folder, 'manifest.json')))
  if (found !== undefined) return found
  throw new ClientError('CLIENT_ENCLAVE_MISSING', `there is no built enclave in ${places.join(' or ')}`, {
    field: 'enclave',
  })
}
