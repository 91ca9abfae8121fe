// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** What native/shared_memory.c exports. Each function throws where the system refuses. */
export interface SharedMemoryAddon {
  create(sizeBytes: number): { readonly fd: number; readonly buffer: ArrayBuffer }
  map(fd: number, sizeBytes: number): ArrayBuffer
  closeFd(fd: number): void
}

/** Where `build:native` puts the addon: the same from src/node and from dist/node. */
export function sharedMemoryAddonPath(): string {
  const name = `../../native/build/${process.platform}-${process.arch}/mlcapsule-shared-memory.node`
  return fileURLToPath(new URL(name, import.meta.url))
}

/** @returns the addon, or undefined where it was not built or does not load */
export function loadSharedMemory(path: string = sharedMemoryAddonPath()): SharedMemoryAddon | undefined {
  if (!existsSync(path)) return undefined
  try {
    return createRequire(import.meta.url)(path) as SharedMemoryAddon
  } catch {
    return undefined
  }
}
