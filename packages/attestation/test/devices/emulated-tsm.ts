// SPDX-License-Identifier: Apache-2.0
// Plays Linux's configfs-tsm in the folder that its first argument names, until its standard input ends: whatever folder is
// made there gets the files of a report. preload.c makes the two ends meet.
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makePipes, serveFile } from './served-file.ts'

export interface TsmBehavior {
  readonly provider: string
  /** Of the report's beginning, in hex. */
  readonly head?: string
  readonly reportSizeBytes: number
  readonly reportDataOffsetBytes: number
  /** Before so many reports, another writer writes its own inblob. */
  readonly raceCount?: number
  /** Another's write takes the place of each that is made here, and is counted in its stead. */
  readonly losesWrites?: boolean
  readonly auxblobSizeBytes?: number
  /** What generation says, in place of the number. */
  readonly generationText?: string
  /** Removes the folder of a report when it is asked for. */
  readonly vanishes?: boolean
}

const [folder = '', behaviorJson = ''] = process.argv.slice(2)
const behavior = JSON.parse(behaviorJson) as TsmBehavior
const { raceCount = 0, auxblobSizeBytes } = behavior
const stranger = new Uint8Array(64).fill(0xee)

/** Files that are written; the others answer. */
const written = ['inblob', 'privlevel']

function serveReport(path: string): void {
  let generation = 7
  let reportCount = 0
  let inblob: Uint8Array = new Uint8Array(0)
  let privilegeLevel = 0
  /** What was written since the last look. An attribute is written at most once between two reads. */
  const takeWrites = (): void => {
    for (const name of written) {
      const bytes = readFileSync(join(path, name))
      if (bytes.length === 0) continue
      truncateSync(join(path, name))
      generation++
      if (name === 'privlevel') privilegeLevel = Number(bytes)
      else inblob = behavior.losesWrites === true ? stranger : bytes
    }
  }
  const outblob = (): Uint8Array => {
    takeWrites()
    reportCount++
    if (reportCount <= raceCount) {
      generation++
      inblob = stranger
    }
    const report = new Uint8Array(behavior.reportSizeBytes)
    report.set(Buffer.from(behavior.head ?? '', 'hex'))
    if (report.length >= behavior.reportDataOffsetBytes + 64)
      report.set(inblob, behavior.reportDataOffsetBytes)
    report[report.length - 2] = privilegeLevel
    report[report.length - 1] = reportCount
    if (behavior.vanishes === true) rmSync(path, { recursive: true })
    return report
  }
  const answers: Record<string, () => Uint8Array> = {
    provider: () => Buffer.from(`${behavior.provider}\n`),
    generation: () => {
      takeWrites()
      return Buffer.from(`${behavior.generationText ?? generation}\n`)
    },
    outblob,
    ...(auxblobSizeBytes === undefined ? {} : { auxblob: () => new Uint8Array(auxblobSizeBytes).fill(0xaa) }),
  }
  for (const name of written) writeFileSync(join(path, name), '')
  makePipes(Object.keys(answers).map((name) => join(path, name)))
  for (const [name, answer] of Object.entries(answers)) void serveFile(join(path, name), answer)
  writeFileSync(join(path, 'ready'), '')
}

process.stdin.resume().on('end', () => process.exit(0))
process.stdout.write('ready\n')
const served = new Set<string>()
for (;;) {
  for (const name of readdirSync(folder)) {
    if (!served.has(name)) serveReport(join(folder, name))
    served.add(name)
  }
  await sleep(1)
}
