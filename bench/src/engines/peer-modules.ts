// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'peers')

/** Whether `npm run peers:install` has brought this package. */
export const isInstalled = (name: string): boolean => existsSync(join(folder, 'node_modules', name))

/** A package of bench/peers, which this package does not depend on. */
export async function loadPeer<Module>(name: string): Promise<Module> {
  return createRequire(join(folder, 'package.json'))(name) as Module
}

/** The file of a package of bench/peers. */
export const peerFile = (path: string): string => join(folder, 'node_modules', path)
