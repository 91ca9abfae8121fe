// SPDX-License-Identifier: Apache-2.0
import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What a dishonest host would keep: copies of the enclave's sealed ledger.
 * @param {string} stateDir the client's state directory, with one activated capsule
 */
export async function keepLedgerCopies(stateDir) {
  const [capsule] = await readdir(join(stateDir, 'capsules'))
  const record = join(stateDir, 'capsules', capsule, 'enclave', 'ledger.sealed')
  const first = join(stateDir, 'ledger-first')
  const last = join(stateDir, 'ledger-last')
  await copyFile(record, first)
  return {
    async putBackFirst() {
      await copyFile(record, last)
      await copyFile(first, record)
    },
    putBackLast: () => copyFile(last, record),
  }
}
