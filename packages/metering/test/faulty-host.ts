// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { seeded } from '@mlcapsule/crypto/testing'
import { type RecordStore, volatileAnchor } from '../src/index.ts'

/** At which operation, counted from the start of a process, and whether before or after it takes effect. */
export interface Fault {
  readonly at: number
  readonly after: boolean
}

/** A host's disk and anchor, which go on while processes crash. It keeps every record that was ever written. */
export function faultyHost() {
  const inner = volatileAnchor(seeded('anchor'))
  const records: Uint8Array[] = []
  let current: Uint8Array | null = null

  /** The parts that one process sees. The fault strikes once. */
  function connect(fault?: Fault): { store: RecordStore; anchor: Anchor; operationCount(): number } {
    let count = 0
    async function act<T>(effect: () => Promise<T>): Promise<T> {
      const strikes = fault?.at === count++
      if (strikes && fault?.after === false) throw new Error('fault before')
      const result = await effect()
      if (strikes) throw new Error('fault after')
      return result
    }
    return {
      operationCount: () => count,
      store: {
        read: () => act(async () => current?.slice() ?? null),
        write: (record) =>
          act(async () => {
            current = record.slice()
            records.push(current)
          }),
      },
      anchor: {
        ...inner,
        read: () => act(() => inner.read()),
        extend: (digest) => act(() => inner.extend(digest)),
      },
    }
  }

  return {
    records,
    connect,
    /** The lie of a host: puts a record back that it kept. */
    putBack(index: number): void {
      current = records[index % records.length] ?? null
    },
    erase(): void {
      current = null
    },
    replace(record: Uint8Array): void {
      current = record
    },
    get current() {
      return current
    },
  }
}
