// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { systemCode, writeFileDurably } from '@mlcapsule/contracts/node'
import { encodeCbor, equalBytes, randomBytes } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import { extendedAnchor } from '../ledger/record.ts'
import { readWhole, writeWhole } from './whole-file.ts'

const sizeBytes = 64

/**
 * An anchor in a file: 32 bytes of name, 32 bytes of value. For the simulated platform alone: whoever puts an old copy
 * of this file back together with the old record is not found out, and a lock of the folder has to keep a second process
 * away: reading and replacing are two steps. `read` and `extend` reject with what went wrong, and
 * the ledger gives it its code.
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
    if (!equalBytes(bytes.subarray(0, 32), name)) throw new RangeError('the file is that of another anchor')
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
      await writeWhole(path, next)
    },
  }
}

async function loadOrCreate(path: string, load: () => Promise<Uint8Array | null>): Promise<Uint8Array> {
  try {
    const bytes = (await load()) ?? (await create(path)) ?? (await load())
    if (bytes === null) throw new RangeError('the file of the anchor comes and goes')
    return bytes.slice(0, 32)
  } catch (cause) {
    const detail = 'the file of the anchor cannot be used'
    throw new MeteringError('LEDGER_ANCHOR_FAILED', detail, { field: 'anchor', cause })
  }
}

/** @returns null where another process was first: its anchor stays */
async function create(path: string): Promise<Uint8Array | null> {
  const fresh = new Uint8Array(sizeBytes)
  fresh.set(randomBytes(32))
  try {
    await writeFileDurably(path, fresh, { mode: 0o600 })
    return fresh
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return null
    throw error
  }
}
