// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toHex } from '@mlcapsule/crypto'
import type { GramineBehavior } from './emulated-gramine.ts'
import type { TsmBehavior } from './emulated-tsm.ts'
import type { Produced } from './produce.ts'

const flags = ['--conditions=@mlcapsule/source', '--no-warnings']

export interface EmulatedDevice {
  readonly folder: string
  end(): Promise<void>
}

/** Starts a process that plays a device in a folder of its own, and waits until it does. */
async function emulate(program: string, behavior: object): Promise<EmulatedDevice> {
  const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-device-'))
  const args = [...flags, join(import.meta.dirname, program), folder, JSON.stringify(behavior)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    void ended.then(() => reject(new Error(`${program} ended before it was ready`)))
  })
  return {
    folder,
    end: async () => {
      child.stdin.end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const emulateGramine = (behavior: GramineBehavior = {}): Promise<EmulatedDevice> =>
  emulate('emulated-gramine.ts', behavior)

export const emulateTsm = (behavior: TsmBehavior): Promise<EmulatedDevice> =>
  emulate('emulated-tsm.ts', behavior)

/** Why a test that needs preload.c is skipped, or null. */
export function missingForPreload(): string | null {
  if (process.platform !== 'linux') return 'skipped: preload.c is for Linux'
  return spawnSync('cc', ['--version']).status === 0 ? null : 'skipped: no C compiler here'
}

/** @returns path of the library, in a folder that the caller removes */
export function buildPreload(folder: string): string {
  const path = join(folder, 'preload.so')
  const source = join(import.meta.dirname, 'preload.c')
  const made = spawnSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', source, '-o', path, '-ldl'], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(made.stderr)
  return path
}

export interface ProduceRequest {
  readonly platform: string
  readonly options: object
  readonly reportData: Uint8Array
  readonly preload: string
  readonly env?: Readonly<Record<string, string>>
}

/** Makes evidence in a process with preload.c in it. */
export async function produceInProcess(request: ProduceRequest): Promise<Produced> {
  const { platform, options, reportData, preload, env } = request
  const program = join(import.meta.dirname, 'produce.ts')
  const args = [...flags, program, platform, JSON.stringify(options), toHex(reportData)]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...env, LD_PRELOAD: preload },
  })
  return JSON.parse(stdout) as Produced
}
