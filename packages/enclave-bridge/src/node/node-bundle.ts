// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type EnclaveManifest, parseManifest } from '@mlcapsule/attestation'
import type { EnclaveEntry } from '@mlcapsule/contracts'
import {
  type Bundle,
  type BundleCheck,
  bundleFileName,
  filesOf,
  manifestOf,
  measureFile,
  parseBundle,
} from '../bundle/bundle.ts'
import { BridgeError } from '../errors.ts'

function unreadable(path: string, field: string, cause: unknown): BridgeError {
  return new BridgeError('BRIDGE_BUNDLE_INVALID', `${path} cannot be read`, { field, cause })
}

async function readBundleFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw unreadable(path, 'bundleDir', cause)
  }
}

async function measureAddon(name: string, path: string): Promise<string> {
  try {
    return await fileSha384(path)
  } catch (cause) {
    throw unreadable(path, name, cause)
  }
}

/** Read at once: of a large file, a hundred megabytes, small chunks cost more than their hash. */
const chunkSizeBytes = 1_048_576

/** SHA-384 of a file of any size, in hex. */
export async function fileSha384(path: string): Promise<string> {
  const hash = createHash('sha384')
  for await (const chunk of createReadStream(path, { highWaterMark: chunkSizeBytes }))
    hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

let measuredNode: { readonly identity: string; readonly sha384: Promise<string> } | undefined

/** Hashed anew only when it is another file, or was written to: it is a hundred megabytes. */
async function nodeSha384(): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(process.execPath, { bigint: true })
  const identity = [dev, ino, size, mtimeNs, ctimeNs].join(':')
  if (measuredNode?.identity === identity) return await measuredNode.sha384
  const sha384 = fileSha384(process.execPath)
  measuredNode = { identity, sha384 }
  // What stood in the way may be gone the next time.
  sha384.catch(() => {
    measuredNode = undefined
  })
  return await sha384
}

export interface MeasureOptions {
  readonly bundleDir: string
  readonly entry: EnclaveEntry
  /** `manifest` by default: a file that was changed after the build is refused. */
  readonly bundleCheck?: BundleCheck
  /** Native addons that will be loaded inside, by component name. */
  readonly addons?: Readonly<Record<string, string>>
}

export interface MeasuredBundle {
  readonly bundle: Bundle
  readonly manifest: EnclaveManifest
  /** Full path of the file to start, without links. */
  readonly entryPath: string
}

/**
 * Measures what is about to run: the files of the build, native addons, and the Node that runs them.
 * @throws BridgeError `BRIDGE_BUNDLE_INVALID`, `BRIDGE_BUNDLE_MISMATCH`
 */
export async function measureBundle(options: MeasureOptions): Promise<MeasuredBundle> {
  const { bundleDir, entry, bundleCheck = 'manifest', addons = {} } = options
  const bundle = parseBundle(new TextDecoder().decode(await readBundleFile(join(bundleDir, bundleFileName))))
  const components = new Map<string, string>()
  const files = filesOf(bundle, entry)
  for (const name of files) {
    components.set(name, measureFile(bundle, name, await readBundleFile(join(bundleDir, name)), bundleCheck))
  }
  for (const [name, path] of Object.entries(addons)) components.set(name, await measureAddon(name, path))
  components.set('node', await nodeSha384())
  const manifest = parseManifest(manifestOf(bundle, entry, components))
  // An installed package is often a link, and what Node starts is the file behind it: that one the child has to be allowed.
  return { bundle, manifest, entryPath: await realpath(join(bundleDir, files[0])) }
}
