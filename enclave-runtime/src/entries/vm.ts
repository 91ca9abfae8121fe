// SPDX-License-Identifier: Apache-2.0
// Node in a virtual machine whose image is measured. The second argument says of which kind the machine is; its kernel and
// its devices refuse the wrong one. The third is JSON with what the attester of that kind has to be told. Who gives other
// arguments than the image has gets evidence that nobody accepts, or none.
import { serveOnHardware } from './on-hardware.ts'
import { attesterOf, EntryArgumentError } from './vm-attesters.ts'

const folder = new URL('.', import.meta.url)

async function attester() {
  try {
    return await attesterOf(process.argv[3], process.argv[4], folder)
  } catch (error) {
    if (!(error instanceof EntryArgumentError)) throw error
    process.stderr.write(`entry vm: ${error.message}\n`)
    process.exit(2)
  }
}

await serveOnHardware({ entry: 'vm', attester: await attester(), folder })
