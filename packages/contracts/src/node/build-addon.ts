// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where a package's addons are built, from the package's folder. */
export const addonFolder: string = `native/build/${process.platform}-${process.arch}`

export interface AddonToBuild {
  readonly packageRoot: string
  /** The one source, from the package's folder. */
  readonly source: string
  /** Of the addon's file, which ends in `.node`. */
  readonly name: string
  /** `addonFolder` of the package by default. */
  readonly outputFolder?: string
}

export type AddonBuild =
  | { readonly status: 'built'; readonly path: string }
  /** Why there is none, for people. */
  | { readonly status: 'skipped'; readonly reason: string }

/** First of CC, or else of gcc, clang and cc, that is here. */
function findCompiler(): string | undefined {
  const { CC } = process.env
  const candidates = CC === undefined || CC === '' ? ['gcc', 'clang', 'cc'] : [CC]
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

/** Folder of node_api.h of this Node. */
function findHeaders(): string | undefined {
  const folders = [process.env.MLCAPSULE_NODE_HEADERS, join(dirname(process.execPath), '../include/node')]
  return folders.find((it) => it !== undefined && it !== '' && existsSync(join(it, 'node_api.h')))
}

const compileFlags = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fPIC',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-fvisibility=hidden',
  '-fno-ident',
]
const linkFlags = ['-shared', '-s', '-Wl,--build-id=none', '-Wl,-z,relro,-z,now,-z,noexecstack']

/**
 * Builds an N-API addon of one file for Linux. Same source, headers and compiler: same bytes, whatever the folder.
 * @throws Error where the compiler refuses the source
 */
export function buildAddon(addon: AddonToBuild): AddonBuild {
  if (process.platform !== 'linux') return { status: 'skipped', reason: 'only on Linux so far' }
  const compiler = findCompiler()
  if (compiler === undefined) return { status: 'skipped', reason: 'not built, no C compiler here' }
  const headers = findHeaders()
  if (headers === undefined) {
    return {
      status: 'skipped',
      reason: 'not built, node_api.h is not beside this Node; set MLCAPSULE_NODE_HEADERS',
    }
  }
  const { packageRoot, source, outputFolder = join(packageRoot, addonFolder) } = addon
  mkdirSync(outputFolder, { recursive: true })
  const path = join(outputFolder, addon.name)
  const next = `${path}.${process.pid}`
  const paths = [`-ffile-prefix-map=${packageRoot}=.`, '-isystem', headers]
  const result = spawnSync(compiler, [...compileFlags, ...paths, ...linkFlags, source, '-o', next], {
    cwd: packageRoot,
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '0', LC_ALL: 'C' },
  })
  if (result.status !== 0) throw new Error(`${compiler} failed\n${result.stderr ?? ''}`)
  // Renamed into place: a process that has the old file mapped keeps it.
  renameSync(next, path)
  return { status: 'built', path }
}
