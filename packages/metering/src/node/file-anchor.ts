// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { encodeCbor, randomBytes } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import { extendedAnchor } from '../ledger/record.ts'
import { readWhole, writeDurably } from './durable-file.ts'

const sizeBytes = 64

/**
 * An anchor in a file: 32 bytes of name, 32 bytes of value. For the simulated platform alone: whoever puts an old copy
 * of this file back together with the old record is not found out.
 * @param path made when absent; its folder has to exist
 * @throws MeteringError `LEDGER_ANCHOR_FAILED`
 */
export async function fileAnchor(path: string): Promise<Anchor & { readonly name: 'file' }> {
  const load = async () => {
    const bytes = await readWhole(path, sizeBytes)
    if (bytes !== null && bytes.length !== sizeBytes)
      throw new RangeError('the file of the anchor is damaged')
    return bytes
  }
  const name = await loadOrCreate(path, load)
  const current = async () => {
    const bytes = await load()
    if (bytes === null) throw new RangeError('the file of the anchor is gone')
    return bytes.slice(32)
  }
  return {
    kind: 'anchor',
    name: 'file',
    version: 1,
    descriptor: encodeCbor(
      new Map<number, unknown>([
        [1, 'file'],
        [2, name],
      ]),
    ),
    read: current,
    async extend(digest) {
      const next = new Uint8Array(sizeBytes)
      next.set(name)
      next.set(extendedAnchor(await current(), digest), 32)
      await writeDurably(path, next)
    },
  }
}

async function loadOrCreate(path: string, load: () => Promise<Uint8Array | null>): Promise<Uint8Array> {
  try {
    const bytes = await load()
    if (bytes !== null) return bytes.slice(0, 32)
    const fresh = new Uint8Array(sizeBytes)
    fresh.set(randomBytes(32))
    await writeDurably(path, fresh)
    return fresh.slice(0, 32)
  } catch (cause) {
    const detail = 'the file of the anchor cannot be used'
    throw new MeteringError('LEDGER_ANCHOR_FAILED', detail, { field: 'anchor', cause })
  }
}
