// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { baseEnvironment, bootstrapDir, root, toolchain } from './environment.mjs'
import { run, seconds, tail } from './exec.mjs'
import { withLock } from './lock.mjs'
import { workspacePackages } from './workspace.mjs'

const installLimitMs = 10 * 60_000
const bootstrapStamp = join(bootstrapDir, 'node_modules', '.mlcapsule-stamp')
const installStamp = join(root, 'node_modules', '.mlcapsule-stamp')

function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

function stampIs(stamp, digest) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
}

function bootstrapDigest() {
  return digestOf(['tools/bootstrap/package.json', 'tools/bootstrap/package-lock.json'])
}

function installDigest() {
  const manifests = workspacePackages().map((it) => `${it.dir}/package.json`)
  return digestOf(['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests])
}

/** A command that runs npm: npm's own file where npm started us, since npm is a shell script on Windows. */
export function npmCommand() {
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')
  const script = [process.env.npm_execpath, beside].find((it) => it?.endsWith('npm-cli.js') && existsSync(it))
  return script === undefined ? ['npm'] : [process.execPath, script]
}

async function step(name, command, env, cwd, remedy) {
  const startedAtMs = performance.now()
  process.stderr.write(`setup: ${name} …\n`)
  const [file, ...args] = command
  const result = await run(file, args, { env, cwd, timeoutMs: installLimitMs })
  if (result.code === 0) {
    process.stderr.write(`setup: ${name}: done in ${seconds(startedAtMs)}\n`)
    return
  }
  process.stderr.write(`${tail(result.output)}\n`)
  const why = result.timedOut
    ? `still running after ${installLimitMs / 60_000} minutes`
    : `exit code ${result.code}`
  throw new Error(`${name} failed (${why}). ${remedy}`)
}

async function installBootstrap() {
  const command = [...npmCommand(), 'ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const remedy = 'See the lines above; a package registry must be reachable by npm. Then run the task again.'
  await step('pinned Node and pnpm', command, baseEnvironment(), bootstrapDir, remedy)
  writeFileSync(bootstrapStamp, bootstrapDigest())
}

async function installWorkspace({ node, env }) {
  const pnpm = join(bootstrapDir, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
  const command = [node, pnpm, 'install', '--frozen-lockfile', '--reporter=append-only']
  const remedy =
    'See the lines above. If pnpm-lock.yaml is out of date after a change to a package.json, ' +
    `run "${join('tools', 'bootstrap', 'node_modules', '.bin', 'pnpm')} install" and commit the new lock file.`
  await step('workspace packages', command, { ...env, CI: '1' }, root, remedy)
  writeFileSync(installStamp, installDigest())
}

/**
 * Makes the clone ready to work in, doing only what has changed since last time.
 * @returns the toolchain that tasks run with
 */
export async function setup() {
  if (stampIs(bootstrapStamp, bootstrapDigest()) && stampIs(installStamp, installDigest())) return toolchain()
  const onWait = (pid) =>
    process.stderr.write(`setup: waiting for another setup of this clone (process ${pid})\n`)
  return withLock(join(bootstrapDir, '.lock'), onWait, async () => {
    if (!stampIs(bootstrapStamp, bootstrapDigest())) await installBootstrap()
    const tools = toolchain()
    if (!stampIs(installStamp, installDigest())) await installWorkspace(tools)
    return tools
  })
}
