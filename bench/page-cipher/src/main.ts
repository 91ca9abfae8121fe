// SPDX-License-Identifier: Apache-2.0
import { cpus, loadavg } from 'node:os'
import { measureInBrowser } from './browser.ts'
import { measure, type Row } from './measure.ts'
import { nodeCipher } from './node-cipher.ts'
import { portableContenders } from './portable.ts'

function print(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}\n`)
  console.log('| page | act | cipher | MiB/s, median | slowest–fastest | ratio to the first |')
  console.log('|---|---|---|---:|---:|---:|')
  let first: Row | undefined
  for (const row of rows) {
    if (first?.pageSizeBytes !== row.pageSizeBytes || first.act !== row.act) first = row
    const ratio = (row.mebibytesPerSecond / first.mebibytesPerSecond).toFixed(2)
    const [low, high] = row.range.map(Math.round) as [number, number]
    const median = Math.round(row.mebibytesPerSecond)
    console.log(
      `| ${row.pageSizeBytes / 1_024} KiB | ${row.act} | ${row.name} | ${median} | ${low}–${high} | ${ratio} |`,
    )
  }
}

const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(2))
    .join(' ')
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores; load before: ${load()}`)
print(
  `Node ${process.version}, OpenSSL ${process.versions.openssl}`,
  await measure([...(await portableContenders()), nodeCipher]),
)
const browser = await measureInBrowser()
if ('skipped' in browser) console.log(`\nBrowser: skipped, ${browser.skipped}`)
else print(`Chromium ${browser.version}`, browser.rows)
console.log(`\nload after: ${load()}`)
