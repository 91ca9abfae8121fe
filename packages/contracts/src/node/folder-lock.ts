// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Who has the folder. */
export interface FolderHolder {
  readonly pid: number
  /** False for a process of another machine or container, which cannot be told to be alive or dead from here. */
  readonly isHere: boolean
  /** The file to remove if the holder is known to be gone. */
  readonly lockPath: string
}

export type FolderLock =
  | { readonly taken: true; release(): void }
  | { readonly taken: false; readonly holder: FolderHolder }

interface Owner {
  readonly pid: number
  /** Start of the process in clock ticks since boot; 0 where the system does not say. */
  readonly startTicks: string
  readonly place: string
}

const namePattern = /^lock-(\d{1,10})-(\d{1,20})-([0-9a-z]{1,40})-[0-9a-f]{16}$/
const attemptCount = 5

/** State and start of a process by proc(5) stat, fields 3 and 22, or undefined where the system does not say. */
function processStat(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command before them, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startTicks: fields[19] ?? '0' }
  } catch {
    return undefined
  }
}

function thisPlace(): string {
  let namespace = ''
  try {
    namespace = readlinkSync('/proc/self/ns/pid')
  } catch {
    // Not Linux: the host's name alone tells machines apart.
  }
  return (
    `${hostname()}${namespace}`
      .toLowerCase()
      .replace(/[^0-9a-z]/g, '')
      .slice(-40) || '0'
  )
}

function isAlive(owner: Owner, place: string): boolean {
  if (owner.place !== place) return true // cannot be told from here
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const stat = processStat(owner.pid)
  if (stat === undefined || owner.startTicks === '0') return true
  // A zombie has died and waits for its parent to notice.
  return stat.startTicks === owner.startTicks && stat.state !== 'Z' && stat.state !== 'X'
}

function parseName(name: string): Owner | undefined {
  const match = namePattern.exec(name)
  return match === null
    ? undefined
    : { pid: Number(match[1]), startTicks: match[2] ?? '0', place: match[3] ?? '' }
}

function tryLock(folder: string): FolderLock {
  const place = thisPlace()
  const startTicks = processStat(process.pid)?.startTicks ?? '0'
  const own = `lock-${process.pid}-${startTicks}-${place}-${randomBytes(8).toString('hex')}`
  const ownPath = join(folder, own)
  writeFileSync(ownPath, '', { flag: 'wx', mode: 0o600 })
  for (const name of readdirSync(folder)) {
    const owner = name === own ? undefined : parseName(name)
    if (owner === undefined) continue
    const lockPath = join(folder, name)
    if (isAlive(owner, place)) {
      rmSync(ownPath, { force: true })
      return { taken: false, holder: { pid: owner.pid, isHere: owner.place === place, lockPath } }
    }
    rmSync(lockPath, { force: true })
  }
  return { taken: true, release: () => rmSync(ownPath, { force: true }) }
}

/**
 * Takes a folder for one user alone, also over from a process that died with it.
 *
 * Each opener first puts down a file of its own name, then looks for those of others; one that finds a living other
 * withdraws. As everyone puts down before looking, two can never both stay, and taking over from the dead needs no
 * step that could hit the living. The name says whose the file is: process, when that process started (a process
 * number is used again), and the machine or container, since a number means nothing in another one.
 * @param folder has to exist
 * @throws what the file system throws
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = tryLock(folder)
    if (lock.taken || attempt === attemptCount) return lock
    // Two that came at the same moment have both withdrawn: they try again at different ones.
    await sleep(20 + Math.random() * 80)
  }
}
