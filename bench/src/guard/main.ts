// SPDX-License-Identifier: Apache-2.0
// npm run bench:guard: see `usage`.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, commonOptions, endWith, UsageError, writeJson } from '../command-line.ts'
import { writeReadme } from '../report/readme.ts'
import { machineFacts } from '../report/tables.ts'
import { rows } from './rows/index.ts'

const names = rows.map(({ name }) => name)

const usage = `Measures what guarding costs: the same kernels behind the door of an activated enclave, and without one.

Usage: npm run bench:guard -- [options]

  --quick      few repetitions, without the largest models: about two minutes
  --only ROWS  of ${names.join(', ')}
  --json FILE  write everything that was measured
  --readme     put the tables into bench/README.md, which takes a whole run
  --help       this text`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: commonOptions })
  if (values.help) {
    console.log(usage)
    return
  }
  if (values.readme && (values.quick || values.only !== undefined)) {
    throw new UsageError('--readme takes a whole run')
  }
  const wanted = chosen(values.only, names)
  console.error(`${machineFacts()}; load ${loadavg()[0]?.toFixed(2)}`)
  const sections: string[] = []
  const results: Record<string, unknown> = {}
  for (const { name, title, run } of rows) {
    if (!wanted.includes(name)) continue
    console.error(`${title} …`)
    const { markdown, data } = await run(values.quick)
    sections.push(`### ${title}\n\n${markdown}`)
    results[name] = { markdown, data }
    console.log(`\n${sections.at(-1)}`)
  }
  const facts = `${machineFacts()}, ${new Date().toISOString().slice(0, 10)}.`
  if (values.readme) {
    await writeReadme('npm run bench:guard -- --readme', [facts, ...sections].join('\n\n'))
  }
  await writeJson(values.json, results)
}

await endWith(main)
