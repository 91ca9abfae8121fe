// SPDX-License-Identifier: Apache-2.0
// A provider in a process of its own: `--folder PATH --networks NAMES`. It says where it is, and ends with its standard input.
import { parseArgs } from 'node:util'
import { startProvider } from './provider.ts'

const { values } = parseArgs({
  options: { folder: { type: 'string', default: '' }, networks: { type: 'string', default: '' } },
})
const { close, ...where } = await startProvider(values.folder, values.networks.split(','))
process.stdout.write(`${JSON.stringify(where)}\n`)
process.stdin.resume().on('end', () => void close())
