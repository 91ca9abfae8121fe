// SPDX-License-Identifier: Apache-2.0
import type { DataId } from '@tensorflow/tfjs-core'

/** References that the kernel which is running has taken and not given up. */
export class References {
  #taken: Map<DataId, number> | null = null

  /** Outside of a kernel nothing is noted. */
  note(dataId: DataId, change: 1 | -1): void {
    this.#taken?.set(dataId, (this.#taken.get(dataId) ?? 0) + change)
  }

  /** Runs a kernel. Of one that throws, gives each reference that is left to `giveUp`. */
  during<T>(run: () => T, giveUp: (dataId: DataId) => void): T {
    const taken = new Map<DataId, number>()
    this.#taken = taken
    try {
      return run()
    } catch (error) {
      for (const [dataId, count] of taken) for (let i = 0; i < count; i++) giveUp(dataId)
      throw error
    } finally {
      this.#taken = null
    }
  }
}
