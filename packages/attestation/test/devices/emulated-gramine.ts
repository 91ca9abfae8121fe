// SPDX-License-Identifier: Apache-2.0
// Plays Gramine's /dev/attestation in the folder that its first argument names, until its standard input ends.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePipes, serveFile } from './served-file.ts'

export interface GramineBehavior {
  readonly type?: string
  /** Before so many quotes, another thread writes its own report data. */
  readonly raceCount?: number
  /** Of the whole quote, 500 by default. */
  readonly quoteSizeBytes?: number
}

const [folder = '', behaviorJson = '{}'] = process.argv.slice(2)
const { type = 'dcap', raceCount = 0, quoteSizeBytes = 500 } = JSON.parse(behaviorJson) as GramineBehavior
const reportDataPath = join(folder, 'user_report_data')
let quoteCount = 0

/** All that the attester can know of a quote: its size, and where the report data is. The last byte counts. */
function quote(): Uint8Array {
  quoteCount++
  if (quoteCount <= raceCount) writeFileSync(reportDataPath, new Uint8Array(64).fill(0xee))
  const bytes = new Uint8Array(quoteSizeBytes)
  if (bytes.length >= 432) bytes.set(readFileSync(reportDataPath), 368)
  bytes[bytes.length - 1] = quoteCount
  return bytes
}

writeFileSync(reportDataPath, new Uint8Array(64))
writeFileSync(join(folder, 'attestation_type'), type)
makePipes([join(folder, 'quote')])
void serveFile(join(folder, 'quote'), quote)
process.stdin.resume().on('end', () => process.exit(0))
process.stdout.write('ready\n')
