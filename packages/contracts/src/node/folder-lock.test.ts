// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function taken(folder: string): Promise<() => void> {
  const lock = await lockFolder(folder)
  if (!lock.taken) throw new Error(`process ${lock.holder.pid} has it`)
  return lock.release
}

/** A process that takes the lock, says whether it did, and holds it. */
function rival(folder: string): ChildProcess {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)})
    console.log((await lockFolder(${JSON.stringify(folder)})).taken)
    setInterval(() => {}, 1000)`
  const options = { stdio: ['ignore', 'pipe', 'inherit'] as const }
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...options,
    stdio: [...options.stdio],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const said = async (child: ChildProcess) =>
  String((await once(child.stdout as NonNullable<typeof child.stdout>, 'data'))[0]).trim()

test('is held by one, named to the next, and let go', async () => {
  const folder = newFolder()
  const release = await taken(folder)
  const [own = ''] = readdirSync(folder)
  expect(await lockFolder(folder)).toEqual({
    taken: false,
    holder: { pid: process.pid, isHere: true, lockPath: join(folder, own) },
  })
  release()
  expect(readdirSync(folder)).toEqual([])
  ;(await taken(folder))()
})

test('is taken over from a process that was killed, and not before', async () => {
  const folder = newFolder()
  const child = rival(folder)
  expect(await said(child)).toBe('true')
  expect(await lockFolder(folder)).toMatchObject({ taken: false, holder: { pid: child.pid, isHere: true } })
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  expect(readdirSync(folder)).toHaveLength(1)
  ;(await taken(folder))()
  expect(readdirSync(folder)).toEqual([])
})

test('of many that come at once, at most one holds it', async () => {
  const folder = newFolder()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => lockFolder(folder)))
  const winners = outcomes.filter((it) => it.taken)
  expect(winners.length).toBeLessThanOrEqual(1)
  for (const it of winners) it.release()
  const answers = await Promise.all(Array.from({ length: 3 }, () => said(rival(folder))))
  expect(answers.filter((it) => it === 'true').length).toBeLessThanOrEqual(1)
})

test('a holder of another machine cannot be told dead', async () => {
  const folder = newFolder()
  const name = `lock-1-1-elsewhere-${'0'.repeat(16)}`
  writeFileSync(join(folder, name), '')
  const holder = { pid: 1, isHere: false, lockPath: join(folder, name) }
  expect(await lockFolder(folder)).toEqual({ taken: false, holder })
  expect(readdirSync(folder)).toEqual([name])
})

test.skipIf(process.platform !== 'linux')(
  'a process number that is used again does not keep it',
  async () => {
    const folder = newFolder()
    const release = await taken(folder)
    const [, pid, startTicks, place] = (readdirSync(folder)[0] ?? '').split('-')
    release()
    // As if a process with our number, that started earlier, had died with the lock.
    writeFileSync(join(folder, `lock-${pid}-${Number(startTicks) - 1}-${place}-${'0'.repeat(16)}`), '')
    ;(await taken(folder))()
    expect(readdirSync(folder)).toEqual([])
  },
)
