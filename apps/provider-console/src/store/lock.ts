// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProviderError } from '../errors.ts'

/**
 * Only one process may have the database open: a second one would lose rows without a word.
 *
 * Each opener first puts down a file of its own name, then looks for those of others; one that finds a living other
 * withdraws. As everyone puts down before looking, two can never both stay, and taking over from the dead needs no
 * step that could hit the living. The name says whose the file is: process, when that process started (a process
 * number is used again), and the machine or container, since a number means nothing in another one.
 */
export interface StoreLock {
  release(): void
}

interface Holder {
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

function isAlive(holder: Holder, place: string): boolean {
  if (holder.place !== place) return true // cannot be told from here
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const stat = processStat(holder.pid)
  if (stat === undefined || holder.startTicks === '0') return true
  // A zombie has died and waits for its parent to notice.
  return stat.startTicks === holder.startTicks && stat.state !== 'Z' && stat.state !== 'X'
}

function parseName(name: string): Holder | undefined {
  const match = namePattern.exec(name)
  return match === null
    ? undefined
    : { pid: Number(match[1]), startTicks: match[2] ?? '0', place: match[3] ?? '' }
}

function refusal(storeDir: string, name: string, holder: Holder, place: string): ProviderError {
  const where =
    holder.place === place
      ? `process ${holder.pid}`
      : `a process of another machine or container (if it is gone, remove ${join(storeDir, name)})`
  return new ProviderError('PROVIDER_STORE_LOCKED', `${storeDir} is in use by ${where}`, { field: 'store' })
}

function tryLock(storeDir: string): StoreLock | ProviderError {
  const place = thisPlace()
  const startTicks = processStat(process.pid)?.startTicks ?? '0'
  const own = `lock-${process.pid}-${startTicks}-${place}-${randomBytes(8).toString('hex')}`
  const ownPath = join(storeDir, own)
  writeFileSync(ownPath, '', { flag: 'wx', mode: 0o600 })
  for (const name of readdirSync(storeDir)) {
    const holder = name === own ? undefined : parseName(name)
    if (holder === undefined) continue
    if (isAlive(holder, place)) {
      rmSync(ownPath, { force: true })
      return refusal(storeDir, name, holder, place)
    }
    rmSync(join(storeDir, name), { force: true })
  }
  return { release: () => rmSync(ownPath, { force: true }) }
}

/**
 * Takes the exclusive lock of a store folder, also over from a process that died with it.
 * @throws ProviderError `PROVIDER_STORE_LOCKED`
 */
export async function lockStore(storeDir: string): Promise<StoreLock> {
  mkdirSync(storeDir, { recursive: true, mode: 0o700 })
  for (let attempt = 1; ; attempt++) {
    const outcome = tryLock(storeDir)
    if (!(outcome instanceof ProviderError)) return outcome
    if (attempt === attemptCount) throw outcome
    // Two that came at the same moment have both withdrawn: they try again at different ones.
    await sleep(20 + Math.random() * 80)
  }
}
