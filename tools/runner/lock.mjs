// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 200
/** How long a holder may take between making the directory and writing its name into it. */
const graceMs = 5_000
/** A holder on another machine cannot be asked whether it lives, so its lock ends after this long. */
const foreignLimitMs = 30 * 60_000

function tryMkdir(dir) {
  try {
    mkdirSync(dir)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function ageMs(dir) {
  try {
    return Date.now() - statSync(dir).mtimeMs
  } catch {
    return 0
  }
}

function readHolder(dir) {
  try {
    return JSON.parse(readFileSync(join(dir, 'holder.json'), 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function isStale(dir) {
  const holder = readHolder(dir)
  if (holder === undefined) return ageMs(dir) > graceMs
  if (holder.host !== hostname()) return ageMs(dir) > foreignLimitMs
  return !isAlive(holder.pid)
}

/** Removes a dead holder's lock. A second directory keeps two waiters from both doing it and losing a fresh lock. */
function reap(dir) {
  const guard = `${dir}.reap`
  if (!tryMkdir(guard)) {
    if (ageMs(guard) > graceMs) rmSync(guard, { recursive: true, force: true })
    return
  }
  try {
    if (isStale(dir)) rmSync(dir, { recursive: true, force: true })
  } finally {
    rmSync(guard, { recursive: true, force: true })
  }
}

/**
 * Runs `action` while no other process of this clone is inside the same lock.
 * @param dir a directory that exists exactly while the lock is held; its parent must exist
 * @param onWait called once, with the holder's process id where known, when the lock is taken
 */
export async function withLock(dir, onWait, action) {
  let told = false
  while (!tryMkdir(dir)) {
    if (isStale(dir)) reap(dir)
    else if (!told) {
      told = true
      onWait(readHolder(dir)?.pid)
    }
    await sleep(pollMs)
  }
  const release = () => rmSync(dir, { recursive: true, force: true })
  const quit = () => process.exit(130)
  process.on('exit', release)
  process.on('SIGINT', quit)
  process.on('SIGTERM', quit)
  try {
    writeFileSync(join(dir, 'holder.json'), JSON.stringify({ pid: process.pid, host: hostname() }))
    return await action()
  } finally {
    process.off('exit', release)
    process.off('SIGINT', quit)
    process.off('SIGTERM', quit)
    release()
  }
}
